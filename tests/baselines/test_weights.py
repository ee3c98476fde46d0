"""Keras's weights, from strangers: what a network has, and never more of it."""

import resource

import numpy as np
import pytest

from emojax.baselines import weights
from emojax.baselines.weights import read_tensors

h5py = pytest.importorskip("h5py")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.h5"


def test_tensors_have_the_names_of_their_groups(path):
    with h5py.File(path, "w") as file:
        file["conv/kernel"], file["steps"] = np.arange(6, dtype=np.float32).reshape(2, 3), 7
    kind, tensors = read_tensors(path)
    assert (kind, list(tensors)) == ("keras", ["conv/kernel"])
    assert tensors["conv/kernel"].tolist() == [[0, 1, 2], [3, 4, 5]]


HUGE = {
    "one tensor": {"a": {"shape": (2**40,), "chunks": (2**20,)}},
    "many": {str(i): {"shape": (2**25,), "chunks": (2**20,)} for i in range(20)},
    "one chunk": {"a": {"shape": (1,), "maxshape": (None,), "chunks": (2**29,)}},
}


@pytest.mark.parametrize("kind", HUGE)
def test_a_small_file_that_declares_much_is_refused_before_it_is_read(path, kind):
    with h5py.File(path, "w") as file:
        for name, shape in HUGE[kind].items():
            file.create_dataset(name, dtype="f4", fillvalue=1.0, **shape)
    assert path.stat().st_size < 50_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="no network has"):
        read_tensors(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_too_many_tensors_are_refused(path, monkeypatch):
    monkeypatch.setattr(weights, "_MAX_TENSORS", 2)
    with h5py.File(path, "w") as file:
        for name in "abc":
            file[name] = np.zeros(1, np.float32)
    with pytest.raises(ValueError, match="more than 2 tensors"):
        read_tensors(path)


def test_data_in_other_files_is_refused(path, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(40))
    with h5py.File(path, "w") as file:
        file.create_dataset("a", (10,), "f4", external=[(tmp_path / "secret", 0, 40)])
    with pytest.raises(ValueError, match="in another file"):
        read_tensors(path)
    layout = h5py.VirtualLayout((10,), "f4")
    layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "a", (10,))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("a", layout)
    with pytest.raises(ValueError, match="in another file"):
        read_tensors(path)


def test_a_file_that_cannot_be_read_is_one_error(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        read_tensors(tmp_path)
