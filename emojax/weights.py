"""Published models: folders with the weights of a trained network, without pickle.

``config.json`` is the manifest, and ``model.safetensors`` has the best state. A tensor is named by
its path: ``shared/params/conv/kernel``, ``emodb/stats/norm/mean``. Kernels and adapters are
float16, all other tensors float32. Nothing in such a folder is trusted.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import safetensors.numpy
from flax import traverse_util

from emojax.files import printable, size_in_words
from emojax.manifests import check_manifest

FORMAT = 1
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
MAX_BYTES = {WEIGHTS_FILE: 2**28, CONFIG_FILE: 2**22}
_LARGEST = float(np.finfo(np.float16).max)
_DTYPES = (np.float16, np.float32)
_MEND = "get the model again, or another one"
Tree = Any


@dataclasses.dataclass(frozen=True)
class PublishedModel:
    """Published model on disk; it is read like a checkpoint.

    Attributes:
      path: its folder.
      manifest: description of the network.
    """

    path: Path
    manifest: dict

    def restore(self, kind: str, like: Mapping[str, Tree]) -> dict[str, Tree]:
        """Load only the subtrees in ``like``, as arrays of its dtypes.

        Args:
          kind: ``"best"``; a published model has no other state.
          like: ``"shared"`` or a corpus's name → tree of shapes.

        Raises:
          ValueError: there is no such state, or the weights are damaged or of another network.
        """
        if kind != "best":
            raise ValueError(f"{self.path}: a published model has no {kind} state; choose best")
        tensors = self._tensors()
        return {name: self._subtree(tensors, name, tree) for name, tree in like.items()}

    def _tensors(self) -> dict[str, np.ndarray]:
        content = _read(self.path, WEIGHTS_FILE)
        if hashlib.sha256(content).hexdigest() != self.manifest["sha256"]:
            self._refuse(f"it is not the file that {CONFIG_FILE} describes")
        try:
            tensors = safetensors.numpy.load(content)
        except Exception as error:  # the library raises its own and others for an untrusted file
            self._refuse(f"it cannot be read ({error})")
        for name, tensor in tensors.items():
            if wrong := _wrong_values(name, tensor):
                self._refuse(wrong)
        return tensors

    def _subtree(self, tensors: Mapping[str, np.ndarray], root: str, like: Tree) -> Tree:
        wanted = traverse_util.flatten_dict(like, sep="/")
        own = {
            name.removeprefix(f"{root}/"): tensor
            for name, tensor in tensors.items()
            if name.startswith(f"{root}/")
        }
        for name in sorted(wanted.keys() ^ own.keys()):
            self._refuse(f"{root}/{name} is {'missing' if name in wanted else 'unknown'}")
        for name, leaf in wanted.items():
            if own[name].shape != leaf.shape:
                self._refuse(f"{root}/{name} has shape {own[name].shape}, not {leaf.shape}")
        arrays = {name: own[name].astype(leaf.dtype) for name, leaf in wanted.items()}
        return traverse_util.unflatten_dict(arrays, sep="/")

    def _refuse(self, why: str) -> NoReturn:
        raise ValueError(printable(f"{self.path / WEIGHTS_FILE}: {why}; {_MEND}"))


def is_published(folder: Path) -> bool:
    """Return whether a folder has a file of a published model."""
    return any((folder / name).is_file() for name in MAX_BYTES)


def open_model(folder: Path) -> PublishedModel:
    """Open a published model; its weights are read later.

    Raises:
      ValueError: the folder has no published model, or its description is not one.
    """
    path, content = folder / CONFIG_FILE, _read(folder, CONFIG_FILE)
    try:
        manifest = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: it cannot be read ({printable(str(error))}); {_MEND}") from None
    return PublishedModel(folder, _check(manifest, path))


def write_model(folder: Path, manifest: Mapping, trees: Mapping[str, Tree]) -> None:
    """Write a published model into an existing folder.

    Args:
      folder: an empty folder.
      manifest: the manifest of a run.
      trees: ``"shared"`` or a corpus's name → its part of the best state.

    Raises:
      ValueError: a value is not finite or too large for float16, or a name cannot be published.
    """
    tensors = {
        name: _stored(name, leaf)
        for name, leaf in traverse_util.flatten_dict(dict(trees), sep="/").items()
    }
    content = safetensors.numpy.save(tensors)
    digest = hashlib.sha256(content).hexdigest()
    described = _check({**manifest, "format": FORMAT, "sha256": digest}, Path(CONFIG_FILE))
    try:
        text = json.dumps(described, indent=1, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise ValueError(
            f"{CONFIG_FILE}: a number of the run is not finite; train it again"
        ) from None
    (folder / WEIGHTS_FILE).write_bytes(content)
    (folder / CONFIG_FILE).write_text(f"{text}\n", encoding="utf-8")


def _stored(name: str, leaf: Any) -> np.ndarray:
    values = np.array(leaf, np.float32, order="C")
    if wrong := _wrong_values(name, values):
        raise ValueError(f"{wrong}, so this network cannot be published; train it again")
    return values.astype(np.float16) if values.ndim > 1 else values


def _wrong_values(name: str, tensor: np.ndarray) -> str:
    """Return the error of a tensor in words; empty if there is none."""
    if tensor.dtype not in _DTYPES:
        return f"{name} is {tensor.dtype}, not float16 or float32"
    if not (np.abs(tensor) <= _LARGEST).all():  # also not of NaN
        return f"{name} has a value that is not finite or beyond {_LARGEST:.0f}"
    if name.endswith("/variance") and (tensor < 0).any():
        return f"{name} has a negative value"
    return ""


def _check(manifest: Any, path: Path) -> dict:
    manifest = check_manifest(manifest, FORMAT, path)
    for name, labels in manifest["corpora"].items():
        if any(unicodedata.category(char) in ("Cc", "Cs") for char in "".join(labels)):
            raise ValueError(f"{path}: a label of {name} has a control character; rename it")
    for key, kind in (("sha256", str), ("calibration", dict), ("license", str)):
        if not isinstance(manifest.get(key, kind()), kind):
            raise ValueError(f"{path}: {key} is no {kind.__name__}; {_MEND}")
    return {"sha256": "", **manifest}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _read(folder: Path, name: str) -> bytes:
    """Read one of the two files; refuse a file that is too large, or a link out of the folder."""
    path = folder / name
    # The hub's cache has links to files beside the folder ``snapshots``.
    home = folder.parents[1] if folder.absolute().parent.name == "snapshots" else folder
    if not path.resolve().is_relative_to(home.resolve()):
        raise ValueError(f"{path} is a link to another folder; copy what it leads to instead")
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES[name] + 1)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; {_MEND}") from None
    if len(content) > MAX_BYTES[name]:
        raise ValueError(f"{path} is larger than {size_in_words(MAX_BYTES[name])}; {_MEND}")
    return content
