"""The tensors of a file that PyTorch saved, without PyTorch, and without running what is in the file."""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

# The first of the pickles that torch.save wrote up to PyTorch 1.5.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ByteStorage": np.dtype("u1"),
}


# Tuples: a pickle can change attributes of what it builds, and tuples have none.
class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    items: int


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_torch(path: Path) -> dict[str, np.ndarray]:
    """Name → array of a state dict, as ``torch.save(model.state_dict(), path)`` writes it.

    Reads the zip format of PyTorch 1.6 and later, and the format before it.  The pickle in the file may name
    ordered dicts, tensors and storages; whatever else it names is refused before it is looked up.

    Raises:
      ValueError: the file is no state dict, is damaged, or asks for anything else.
    """
    try:
        return (_read_zip if zipfile.is_zipfile(path) else _read_legacy)(path)
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(f"{path} is no state dict of PyTorch: {error}") from error


class _Unpickler(pickle.Unpickler):
    """Builds dicts of :class:`_Tensor`, and looks up nothing by name."""

    def find_class(self, module: str, name: str):
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        allowed = {
            "collections.OrderedDict": OrderedDict,
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_parameter": self._parameter,
        }
        if f"{module}.{name}" not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no tensor needs")
        return allowed[f"{module}.{name}"]

    def persistent_load(self, pid) -> _Storage:
        match pid:
            case ("storage", np.dtype() as dtype, str(key), str(), int(items), *_):
                return _Storage(key, dtype, items)
        raise pickle.UnpicklingError("a storage that is none")

    def _tensor(self, storage, offset, shape, strides, *_) -> _Tensor:
        # Nothing in a state dict is repeated by its strides: no array may be larger than its storage.
        if not isinstance(storage, _Storage) or math.prod(shape) > storage.items:
            raise pickle.UnpicklingError("a tensor without enough data")
        return _Tensor(storage, offset, tuple(shape), tuple(strides))

    def _parameter(self, tensor, *_):
        return tensor


def _read_zip(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        # Stored entries cannot be larger than the file.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
            raise ValueError("its entries are compressed, which PyTorch's never are")
        (index,) = (
            name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")
        )
        folder = index.removesuffix("data.pkl")
        if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        state = _Unpickler(io.BytesIO(archive.read(index))).load()
        return _arrays(state, lambda storage: archive.read(f"{folder}data/{storage.key}"))


def _read_legacy(path: Path) -> dict[str, np.ndarray]:
    """A magic number, a version, facts about the machine, the state dict, a list of keys, then the data."""
    content = path.read_bytes()
    file = io.BytesIO(content)
    if not content.startswith(b"\x80") or _Unpickler(file).load() != _LEGACY_MAGIC:
        raise ValueError("it begins with another number")
    _, machine, state, keys = (_Unpickler(file).load() for _ in range(4))
    if not machine["little_endian"]:
        raise ValueError("its numbers are big-endian")
    item_bytes = {tensor.storage.key: tensor.storage.dtype.itemsize for tensor in _tensors(state).values()}
    data, start = {}, file.tell()
    for key in keys:
        items = int.from_bytes(content[start : start + 8], "little")
        stop = start + 8 + items * item_bytes[key]
        data[key] = memoryview(content)[start + 8 : stop]
        start = stop
    return _arrays(state, lambda storage: data[storage.key])


def _tensors(state) -> Mapping[str, _Tensor]:
    if not isinstance(state, dict) or not all(isinstance(tensor, _Tensor) for tensor in state.values()):
        raise ValueError("it holds something else than tensors with names")
    return state


def _arrays(state, read: Callable[[_Storage], bytes | memoryview]) -> dict[str, np.ndarray]:
    """Arrays over the data of their storages; numpy refuses those that would reach beyond."""
    arrays = {}
    for name, (storage, offset, shape, strides) in _tensors(state).items():
        item_bytes = storage.dtype.itemsize
        steps = [stride * item_bytes for stride in strides]
        data = read(storage)
        if storage.items * item_bytes > len(data):
            raise ValueError(
                f"{name} has a storage of {storage.items} numbers, and {len(data)} bytes of data"
            )
        arrays[str(name)] = np.ndarray(shape, storage.dtype, data, offset * item_bytes, steps)
    return arrays
