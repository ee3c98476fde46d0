"""Reader of tensors saved by PyTorch, without PyTorch and without running code in the file."""

from __future__ import annotations

import functools
import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from emojax.archives import open_zip, read_member
from emojax.files import printable, size_in_words

# Limit for the data of all tensors; VGG16, the largest network that is read, has 553 MB.
MAX_BYTES = 2**30
# Limit for one pickle, which lists the tensors; a thousand tensors take 100 kB.
_MAX_PICKLE_BYTES = 2**20
_MAX_ENTRIES = 100_000
_MAX_AXES = 8
# Opcodes of protocol 2, which PyTorch writes, without those that make objects or that may take
# more memory than bytes in the file.
_OPCODES = {opcode.name for opcode in pickletools.opcodes if opcode.proto <= 2} - {
    *("INST", "OBJ", "NEWOBJ", "EXT1", "EXT2", "EXT4", "LONG4", "PUT")
}
# Each BUILD copies a dict.
_MAX_BUILDS = 10
# Content of the first pickle in files that torch.save wrote up to PyTorch 1.5.
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ByteStorage": np.dtype("u1"),
}


# Tuples: a pickle can change attributes of the objects that it builds, but tuples have none.
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
    """Read a state dict, as ``torch.save(model.state_dict(), path)`` writes it: name → array.

    Reads the zip format of PyTorch 1.6 and later, and the format before it.  The pickle in the file
    may name only ordered dicts, tensors and storages; any other name is refused and never imported.

    Raises:
      ValueError: the file is no state dict, is damaged, has more than ``MAX_BYTES``, or names
        anything else.
    """
    try:
        _check_size(path.stat().st_size)
        return (_read_zip if zipfile.is_zipfile(path) else _read_legacy)(path)
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(printable(f"{path} is no state dict of PyTorch: {error}")) from error


def _check_size(size_bytes: int) -> None:
    if size_bytes > MAX_BYTES:
        raise ValueError(
            f"it has {size_in_words(size_bytes)}, and no network has {size_in_words(MAX_BYTES)}"
        )


def _load(content: bytes, start: int = 0) -> tuple[Any, int]:
    """Load the pickle that begins at ``start``; return its object and the position of its end."""
    file = io.BytesIO(content[start : start + _MAX_PICKLE_BYTES])
    builds = 0
    for opcode, argument, _ in pickletools.genops(file):
        builds += opcode.name == "BUILD"
        # The unpickler allocates memory for all positions up to the largest that is written.
        far = opcode.name == "LONG_BINPUT" and int(argument or 0) > _MAX_PICKLE_BYTES
        if opcode.name not in _OPCODES or builds > _MAX_BUILDS or far:
            raise pickle.UnpicklingError(f"it has {opcode.name}, as no list of tensors has it")
    end = start + file.tell()
    file.seek(0)
    return _Unpickler(file).load(), end


class _Unpickler(pickle.Unpickler):
    """Unpickler that builds dicts of :class:`_Tensor` and imports nothing."""

    _entries = 0

    def find_class(self, module: str, name: str):
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        allowed = {
            "collections.OrderedDict": self._ordered_dict,
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
        # Strides in a state dict never repeat data, so no array may be larger than its storage.
        if not (isinstance(shape, tuple) and len(shape) <= _MAX_AXES):
            raise pickle.UnpicklingError("a tensor with a shape that is none")
        if not isinstance(storage, _Storage) or math.prod(shape) > storage.items:
            raise pickle.UnpicklingError("a tensor without enough data")
        return _Tensor(storage, offset, shape, strides)

    def _ordered_dict(self, items=()) -> OrderedDict:
        self._entries += len(items)
        if self._entries > _MAX_ENTRIES:
            raise pickle.UnpicklingError(f"more than {_MAX_ENTRIES} entries")
        return OrderedDict(items)

    def _parameter(self, tensor, *_):
        return tensor


def _read_zip(path: Path) -> dict[str, np.ndarray]:
    with open_zip(path) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise ValueError("its entries are compressed, which PyTorch's never are")
        _check_size(sum(entry.file_size for entry in entries))
        names = archive.namelist()
        (index,) = (name for name in names if name.count("/") == 1 and name.endswith("/data.pkl"))
        folder = index.removesuffix("data.pkl")
        if (
            f"{folder}byteorder" in names
            and read_member(archive, f"{folder}byteorder") != b"little"
        ):
            raise ValueError("its numbers are big-endian")
        state, _ = _load(read_member(archive, index))
        # Many tensors may share a storage.
        return _arrays(
            state, functools.cache(lambda key: read_member(archive, f"{folder}data/{key}"))
        )


def _read_legacy(path: Path) -> dict[str, np.ndarray]:
    """Read a magic number, a version, machine facts, the state dict, its keys and its data."""
    content = path.read_bytes()
    magic, start = _load(content)
    if magic != _LEGACY_MAGIC:
        raise ValueError("it begins with another number")
    parts = []
    for _ in range(4):
        part, start = _load(content, start)
        parts.append(part)
    _, machine, state, keys = parts
    if not machine["little_endian"]:
        raise ValueError("its numbers are big-endian")
    item_bytes = {
        tensor.storage.key: tensor.storage.dtype.itemsize for tensor in _tensors(state).values()
    }
    data = {}
    for key in keys:
        items = int.from_bytes(content[start : start + 8], "little")
        stop = start + 8 + items * item_bytes[key]
        data[key] = memoryview(content)[start + 8 : stop]
        start = stop
    return _arrays(state, data.__getitem__)


def _tensors(state) -> Mapping[str, _Tensor]:
    if not isinstance(state, dict) or not all(
        isinstance(tensor, _Tensor) for tensor in state.values()
    ):
        raise ValueError("it holds something else than tensors with names")
    return state


def _arrays(state, read: Callable[[str], bytes | memoryview]) -> dict[str, np.ndarray]:
    """Return arrays over the data of their storages; numpy refuses those that reach beyond."""
    arrays = {}
    for name, (storage, offset, shape, strides) in _tensors(state).items():
        item_bytes = storage.dtype.itemsize
        steps = [stride * item_bytes for stride in strides]
        data = read(storage.key)
        if storage.items * item_bytes > len(data):
            raise ValueError(
                f"{name} has a storage of {storage.items} numbers, and {len(data)} bytes of data"
            )
        arrays[str(name)] = np.ndarray(shape, storage.dtype, data, offset * item_bytes, steps)
    return arrays
