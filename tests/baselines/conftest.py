"""Writes weights files as PyTorch and Keras do, without either."""

import io
import itertools
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

MAGIC = 0x1950A86A20F9469CFC6C


class Named:
    """What a pickle names by module and name, and what need not be importable here."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __call__(self, *_):
        raise AssertionError("only ever pickled")


REBUILD = Named("torch._utils", "_rebuild_tensor_v2")


class Storage:
    """The memory of a tensor."""

    def __init__(self, key, array):
        self.key, self.array = key, array
        self.kind = Named("torch", {"f": "FloatStorage", "i": "LongStorage"}[array.dtype.kind])


class Tensor:
    """A view of a storage; pickled as a call of ``rebuild``."""

    rebuild = REBUILD

    def __init__(self, key, array):
        # As PyTorch keeps a tensor whose axes were exchanged: memory in its own order, and strides.
        memory = array.transpose(sorted(range(array.ndim), key=lambda axis: -array.strides[axis]))
        self.shape, self.strides = (
            array.shape,
            tuple(stride // array.itemsize for stride in array.strides),
        )
        self.storage = Storage(key, memory.ravel())

    def __reduce__(self):
        return self.rebuild, (self.storage, 0, self.shape, self.strides, False, OrderedDict())


class Pickler(pickle._Pickler):  # the one in C would try to import what is named
    def persistent_id(self, found):
        if isinstance(found, Storage):
            return ("storage", found.kind, found.key, "cpu", found.array.size)
        return None

    def save(self, found, save_persistent_id=True):
        if isinstance(found, Named):
            return self.write(b"c" + f"{found.module}\n{found.name}\n".encode())
        return super().save(found, save_persistent_id)


def pickled(found):
    file = io.BytesIO()
    Pickler(file, protocol=2).dump(found)
    return file.getvalue()


def state_dict(arrays):
    keys = itertools.count()
    return OrderedDict((name, Tensor(str(next(keys)), array)) for name, array in arrays.items())


def write_zip(path, state, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled(state))
        archive.writestr("archive/byteorder", "little")
        for tensor in state.values():
            archive.writestr(f"archive/data/{tensor.storage.key}", tensor.storage.array.tobytes())


def write_legacy(path, state):
    storages = [tensor.storage for tensor in state.values()]
    parts = [MAGIC, 1001, {"little_endian": True}, state, [storage.key for storage in storages]]
    data = [struct.pack("<q", storage.array.size) + storage.array.tobytes() for storage in storages]
    path.write_bytes(b"".join([*map(pickled, parts), *data]))


def write_keras(path, layers):
    """The layout of Keras's published weights: a group per layer, in it kernel and bias."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name, (kernel, bias) in layers.items():
            file[f"{name}/{name}_W_1:0"], file[f"{name}/{name}_b_1:0"] = kernel, bias


def small_vgg16(channels=3, units=6):
    """torchvision's state dict of a VGG16 with few channels, and the same layers as in Keras."""
    random = np.random.default_rng(0)
    torch, keras, inputs, number = {}, {}, 3, 0
    for block, convolutions in enumerate((2, 2, 3, 3, 3), 1):
        for convolution in range(1, convolutions + 1):
            weight = random.normal(0, (2 / (9 * inputs)) ** 0.5, (channels, inputs, 3, 3)).astype(
                np.float32
            )
            bias = random.normal(0, 0.1, channels).astype(np.float32)
            torch |= {f"features.{number}.weight": weight, f"features.{number}.bias": bias}
            keras[f"block{block}_conv{convolution}"] = weight.transpose(2, 3, 1, 0), bias
            inputs, number = channels, number + 2
        number += 1
    first, bias = keras["block1_conv1"]
    keras["block1_conv1"] = first[:, :, ::-1], bias  # Keras's sees blue, green, red
    for name, source, inputs in (
        ("fc1", "classifier.0", 49 * channels),
        ("fc2", "classifier.3", units),
    ):
        weight = random.normal(0, inputs**-0.5, (units, inputs)).astype(np.float32)
        bias = random.normal(0, 0.1, units).astype(np.float32)
        torch |= {f"{source}.weight": weight, f"{source}.bias": bias}
        if name == "fc1":
            weight = np.stack(
                [row.reshape(channels, 7, 7).transpose(1, 2, 0).ravel() for row in weight]
            )
        keras[name] = weight.T, bias
    return torch, keras


@pytest.fixture(scope="session")
def weights_files():
    """This file's writers."""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def vgg16_pth(tmp_path_factory):
    """A VGG16 with few channels, as torchvision saves it."""
    path = tmp_path_factory.mktemp("weights") / "vgg16.pth"
    write_zip(path, state_dict(small_vgg16()[0]))
    return path
