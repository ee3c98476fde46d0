import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.checkpoints import Checkpoints, check_same, read_manifest, restore

SHARED = {"conv": jnp.arange(12.0).reshape(3, 4)}
CORPORA = {
    name: {"norm": jnp.full(4, float(i)), "head": {"bias": jnp.ones(2)}} for i, name in enumerate("abc")
}


@pytest.fixture
def saved(tmp_path):
    checkpoints = Checkpoints(tmp_path, "best")
    checkpoints.save(7, SHARED, CORPORA, {"corpora": {"a": ["x", "y"]}})
    checkpoints.close()
    return tmp_path


def test_any_subset_of_subtrees_can_be_loaded(saved):
    restored = restore(saved, "best", {"b": CORPORA["b"]})
    assert list(restored) == ["b"]
    assert jax.tree.all(jax.tree.map(np.array_equal, restored["b"], CORPORA["b"]))
    restored = restore(saved, "best", {"shared": SHARED, "c": {"norm": CORPORA["c"]["norm"]}})
    assert np.array_equal(restored["c"]["norm"], CORPORA["c"]["norm"])
    assert list(restored["c"]) == ["norm"]


def test_a_corpus_is_one_folder_and_can_be_dropped(saved):
    import shutil

    shutil.rmtree(saved / "checkpoints" / "best" / "7" / "corpus-a")
    assert np.array_equal(restore(saved, "best", {"b": CORPORA["b"]})["b"]["norm"], CORPORA["b"]["norm"])
    with pytest.raises(ValueError, match="has no a; it has the corpora b, c"):
        restore(saved, "best", {"a": CORPORA["a"]})


def test_another_shape_is_refused(saved):
    with pytest.raises(ValueError, match="does not fit"):
        restore(saved, "best", {"shared": {"conv": jnp.zeros((3, 5))}})


def test_another_structure_is_refused(saved):
    with pytest.raises(ValueError, match="does not fit"):
        restore(saved, "best", {"shared": {"convolution": jnp.zeros((3, 4))}})


def test_every_difference_is_listed(saved):
    wanted = {"corpora": {"a": ["x", "z"], "d": ["u", "v"]}, "model": {"width": 32}}
    with pytest.raises(ValueError, match="another network") as error:
        check_same(read_manifest(saved, "best"), wanted, saved)
    for difference in ("corpora.a", "['x', 'z']", "corpora.d", "model"):
        assert difference in str(error.value)


def test_nothing_saved_says_how_to_train(tmp_path):
    with pytest.raises(ValueError, match="train"):
        read_manifest(tmp_path, "best")


def test_another_format_is_refused(saved):
    path = saved / "checkpoints" / "best" / "7" / "manifest" / "metadata"
    path.write_text(path.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(ValueError, match="format 99"):
        read_manifest(saved, "best")


def test_only_the_newest_is_kept_and_names_cannot_leave_the_folder(tmp_path):
    checkpoints = Checkpoints(tmp_path, "latest")
    for step in (1, 2):
        checkpoints.save(step, SHARED, CORPORA, {})
    with pytest.raises(ValueError, match="corpus name"):
        checkpoints.save(3, SHARED, {"../x": SHARED}, {})
    checkpoints.close()
    assert [path.name for path in (tmp_path / "checkpoints" / "latest").iterdir()] == ["2"]
