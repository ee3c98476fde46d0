import os
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from emojax.baselines import torch_file
from emojax.baselines.torch_file import read_torch

FORMATS = ("zip", "legacy")


@pytest.fixture
def arrays():
    random = np.random.default_rng(0)
    exchanged = random.normal(size=(3, 3, 2, 4)).astype(np.float32).transpose(3, 2, 0, 1)
    return {
        "conv.weight": exchanged,
        "bias": random.normal(size=4).astype(np.float32),
        "steps": np.array(7),
    }


@pytest.fixture(params=FORMATS)
def write(request, weights_files):
    return getattr(weights_files, f"write_{request.param}")


def test_both_formats_are_read(arrays, write, weights_files, tmp_path):
    write(tmp_path / "weights.pth", weights_files.state_dict(arrays))
    found = read_torch(tmp_path / "weights.pth")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("rebuild", ["_rebuild_tensor", "_rebuild_parameter"])
def test_what_older_files_name_is_read(
    arrays, write, weights_files, tmp_path, rebuild, monkeypatch
):
    state = weights_files.state_dict(arrays)
    if rebuild == "_rebuild_parameter":

        class Parameter(weights_files.Tensor):
            def __reduce__(self):
                tensor = weights_files.Tensor(self.storage.key, arrays["bias"])
                return weights_files.Named("torch._utils", rebuild), (tensor, True, OrderedDict())

        state = OrderedDict(bias=Parameter("0", arrays["bias"]))
    else:
        monkeypatch.setattr(
            weights_files.Tensor, "rebuild", weights_files.Named("torch._utils", rebuild)
        )
    write(tmp_path / "weights.pth", state)
    np.testing.assert_array_equal(read_torch(tmp_path / "weights.pth")["bias"], arrays["bias"])


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        (os.system.__module__, "system", ("touch pwned",)),
        ("builtins", "eval", ("open('pwned', 'w')",)),
        ("torch", "load", ("pwned",)),
        ("collections", "OrderedDict.fromkeys", ((),)),
    ],
)
def test_a_pickle_that_would_run_something_is_refused(
    arrays, write, weights_files, tmp_path, monkeypatch, module, name, arguments
):
    class Evil(weights_files.Tensor):
        def __reduce__(self):
            return weights_files.Named(module, name), arguments

    monkeypatch.chdir(tmp_path)
    write(tmp_path / "weights.pth", OrderedDict(evil=Evil("0", arrays["bias"])))
    with pytest.raises(ValueError, match=rf"it asks for {module}\.{name}"):
        read_torch(tmp_path / "weights.pth")
    assert os.listdir() == ["weights.pth"]


@pytest.mark.parametrize(
    "changes",
    [{"shape": (5,)}, {"strides": (2,)}, {"strides": (-1,)}, {"strides": (0,), "shape": (10**12,)}],
)
def test_a_tensor_beyond_its_data_is_refused(arrays, write, weights_files, tmp_path, changes):
    state = weights_files.state_dict({"bias": arrays["bias"]})
    vars(state["bias"]).update(changes)
    write(tmp_path / "weights.pth", state)
    with pytest.raises(ValueError, match=r"weights\.pth is no state dict of PyTorch"):
        read_torch(tmp_path / "weights.pth")


@pytest.mark.parametrize("strides", [(0,), (1,)])
def test_a_storage_that_claims_more_than_its_data_is_refused(
    arrays, write, weights_files, tmp_path, monkeypatch, strides
):
    class Claims(np.ndarray):
        size = 10**9

    state = weights_files.state_dict({"bias": arrays["bias"]})
    vars(state["bias"]).update(strides=strides, shape=(10**9,))
    state["bias"].storage.array = state["bias"].storage.array.view(Claims)
    write(tmp_path / "weights.pth", state)
    assert (tmp_path / "weights.pth").stat().st_size < 1000
    with pytest.raises(ValueError, match="numbers, and"):
        read_torch(tmp_path / "weights.pth")


def test_a_damaged_file_is_one_clear_error(arrays, write, weights_files, tmp_path):
    path = tmp_path / "weights.pth"
    write(path, weights_files.state_dict(arrays))
    whole = path.read_bytes()
    for length in range(0, len(whole), len(whole) // 20):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"weights\.pth is no state dict of PyTorch"):
            read_torch(path)


def test_a_compressed_archive_is_refused(arrays, weights_files, tmp_path):
    state = weights_files.state_dict(arrays)
    weights_files.write_zip(tmp_path / "bomb.pth", state, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="entries are compressed"):
        read_torch(tmp_path / "bomb.pth")


BOMBS = {
    "bytes of a later protocol": pickle.BYTEARRAY8 + (8).to_bytes(8, "little") + bytes(8),
    "a place far away": pickle.NONE + pickle.LONG_BINPUT + (2**31).to_bytes(4, "little"),
    "a dict copied again and again": b"}q\0" + b"h\0h\0b0" * 20,
    "an object": b"(ccollections\nOrderedDict\no",
    "a tensor of any shape": None,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_a_small_pickle_that_would_take_much_memory_is_refused(weights_files, tmp_path, kind):
    """Each of these would, repeated in a file of a megabyte, fill the memory or never end."""
    bomb = BOMBS[kind] or weights_files.pickled(
        {"x": weights_files.Tensor("0", np.zeros((1,) * 9, "f4"))}
    )
    with zipfile.ZipFile(tmp_path / "weights.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" * (BOMBS[kind] is not None) + bomb + b".")
        archive.writestr("archive/data/0", bytes(4))
    with pytest.raises(ValueError, match=r"as no list of tensors has it|a shape that is none"):
        read_torch(tmp_path / "weights.pth")


def test_dicts_that_are_built_of_others_are_counted(weights_files, tmp_path, monkeypatch):
    monkeypatch.setattr(torch_file, "_MAX_ENTRIES", 1000)

    class Copies:
        def __reduce__(self):
            return weights_files.Named("collections", "OrderedDict"), (pairs,)

    pairs = [(str(i), None) for i in range(400)]
    for copies, message in ((2, "something else than tensors"), (3, "more than 1000 entries")):
        with zipfile.ZipFile(tmp_path / "weights.pth", "w") as archive:
            state = {str(i): Copies() for i in range(copies)}
            archive.writestr("archive/data.pkl", weights_files.pickled(state))
        with pytest.raises(ValueError, match=message):
            read_torch(tmp_path / "weights.pth")


def test_a_storage_that_tensors_share_is_read_once(weights_files, tmp_path, monkeypatch):
    shared = weights_files.Tensor("0", np.arange(4, dtype=np.float32))
    with zipfile.ZipFile(tmp_path / "weights.pth", "w") as archive:
        archive.writestr(
            "archive/data.pkl", weights_files.pickled(OrderedDict(one=shared, other=shared))
        )
        archive.writestr("archive/data/0", shared.storage.array.tobytes())
    read = []
    read_member = torch_file.read_member
    monkeypatch.setattr(
        torch_file,
        "read_member",
        lambda archive, name: (read.append(name), read_member(archive, name))[1],
    )
    assert read_torch(tmp_path / "weights.pth")["other"].tolist() == [0, 1, 2, 3]
    assert read.count("archive/data/0") == 1


def test_more_data_than_a_network_has_is_refused(
    arrays, write, weights_files, tmp_path, monkeypatch
):
    write(tmp_path / "weights.pth", weights_files.state_dict(arrays))
    monkeypatch.setattr(torch_file, "MAX_BYTES", (tmp_path / "weights.pth").stat().st_size)
    read_torch(tmp_path / "weights.pth")
    monkeypatch.setattr(torch_file, "MAX_BYTES", 500)
    with pytest.raises(ValueError, match="and no network has"):
        read_torch(tmp_path / "weights.pth")


def test_an_archive_that_says_it_has_more_data_than_the_file_is_refused(
    arrays, weights_files, tmp_path
):
    weights_files.write_zip(
        tmp_path / "weights.pth", weights_files.state_dict({"bias": arrays["bias"]})
    )
    content = (tmp_path / "weights.pth").read_bytes()
    sizes = (16).to_bytes(4, "little") * 2
    assert content.count(sizes) == 2
    (tmp_path / "weights.pth").write_bytes(
        content.replace(sizes, (2**31).to_bytes(4, "little") * 2)
    )
    with pytest.raises(ValueError, match="and no network has"):
        read_torch(tmp_path / "weights.pth")
