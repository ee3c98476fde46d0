import os
import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from minimal_manifest import MANIFEST

from emojax.checkpoints import Checkpoints, from_newest, read_manifest
from emojax.manifests import check_same

SHARED = {"conv": jnp.arange(12.0).reshape(3, 4)}
CORPORA = {
    name: {"norm": jnp.full(4, float(i)), "head": {"bias": jnp.ones(2)}}
    for i, name in enumerate("abc")
}


def states(shared=SHARED):
    return {kind: {"shared": shared, **CORPORA} for kind in ("latest", "best")}


def save(workdir, *steps, **notes):
    checkpoints = Checkpoints(workdir)
    for step in steps:
        checkpoints.save(step, states({"conv": SHARED["conv"] + step}), {**MANIFEST, **notes})
    checkpoints.close()


def restore(workdir, like, kind="best"):
    return from_newest(workdir, lambda checkpoint: checkpoint.restore(kind, like))


@pytest.fixture
def saved(tmp_path):
    save(tmp_path, 7)
    return tmp_path


def test_any_subset_of_subtrees_can_be_loaded(saved):
    restored = restore(saved, {"b": CORPORA["b"]})
    assert list(restored) == ["b"]
    assert jax.tree.all(jax.tree.map(np.array_equal, restored["b"], CORPORA["b"]))
    restored = restore(saved, {"shared": SHARED, "c": {"norm": CORPORA["c"]["norm"]}})
    assert np.array_equal(restored["c"]["norm"], CORPORA["c"]["norm"])
    assert list(restored["c"]) == ["norm"]


def test_a_corpus_is_one_folder_and_can_be_dropped(saved):
    shutil.rmtree(saved / "checkpoints" / "7" / "best-corpus-a")
    assert np.array_equal(restore(saved, {"b": CORPORA["b"]})["b"]["norm"], CORPORA["b"]["norm"])
    with pytest.raises(ValueError, match="has no best state of a"):
        restore(saved, {"a": CORPORA["a"]})


def test_another_shape_is_refused(saved):
    with pytest.raises(ValueError, match="does not fit"):
        restore(saved, {"shared": {"conv": jnp.zeros((3, 5))}})


def test_another_structure_is_refused(saved):
    with pytest.raises(ValueError, match="does not fit"):
        restore(saved, {"shared": {"convolution": jnp.zeros((3, 4))}})


def files_of(step_folder):
    return sorted(path for path in step_folder.rglob("*") if path.is_file() and path.stat().st_size)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(path.read_bytes()[:5]), flip, Path.unlink]
)
@pytest.mark.parametrize("name", ["manifest.ocdbt", "array"])
def test_a_damaged_newest_step_falls_back_to_the_one_before_and_says_so(tmp_path, name, damage):
    save(tmp_path, 4, 8)
    shared = tmp_path / "checkpoints" / "8" / "best-shared"
    array = max((shared / "d").iterdir(), key=lambda path: path.stat().st_size)
    damage(array if name == "array" else shared / name)
    with pytest.warns(UserWarning, match="using step 4 instead"):
        restored = restore(tmp_path, {"shared": SHARED})["shared"]
    assert np.array_equal(restored["conv"], SHARED["conv"] + 4)


def test_a_manifest_that_cannot_be_read_falls_back_too(tmp_path):
    save(tmp_path, 4, 8)
    (tmp_path / "checkpoints" / "8" / "manifest" / "metadata").write_text("{")
    with pytest.warns(UserWarning, match="using step 4 instead"):
        assert read_manifest(tmp_path)["step"] == 4


def test_a_step_that_was_not_finished_is_none(tmp_path):
    save(tmp_path, 4, 8)
    (tmp_path / "checkpoints" / "8" / "digests.json").unlink()
    assert read_manifest(tmp_path)["step"] == 4
    checkpoints = Checkpoints(tmp_path)
    assert checkpoints.newest().name == "4"
    checkpoints.close()
    assert not (tmp_path / "checkpoints" / "8").exists()


def test_where_no_step_can_be_read_the_newest_is_named(tmp_path):
    save(tmp_path, 4, 8)
    for step in ("4", "8"):
        (tmp_path / "checkpoints" / step / "manifest" / "metadata").write_text("{")
    with pytest.raises(ValueError, match=r"checkpoints/8: the manifest cannot be read"):
        read_manifest(tmp_path)


def test_a_step_is_on_disk_before_save_returns(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    )
    save(tmp_path, 4)
    folder = tmp_path / "checkpoints" / "4"
    *saved, last = [path for path in synced if path.startswith(str(folder.parent))]
    assert {str(path) for path in [*files_of(folder), folder, folder.parent]} - {
        f"{folder}/digests.json"
    } <= {*saved}
    assert "digests.json" in synced[-2]  # the draft that takes its name
    assert last == str(folder)


def test_every_difference_is_listed(saved):
    wanted = {"corpora": {"a": ["x", "z"], "d": ["u", "v"]}, "model": {"width": 32}}
    with pytest.raises(ValueError, match="another network") as error:
        check_same(read_manifest(saved), wanted, saved)
    for difference in ("corpora.a", "['x', 'z']", "corpora.d", "model"):
        assert difference in str(error.value)


def test_what_a_manifest_says_cannot_steer_a_terminal(saved):
    with pytest.raises(ValueError, match="another network") as error:
        check_same({"front_end": "\x1b[2J"}, {"front_end": {}}, saved)
    assert "\x1b" not in str(error.value)


def test_nothing_saved_says_how_to_train(tmp_path):
    with pytest.raises(ValueError, match="train"):
        read_manifest(tmp_path)


def test_another_format_is_refused(saved):
    path = saved / "checkpoints" / "7" / "manifest" / "metadata"
    path.write_text(path.read_text().replace('"format": 2', '"format": 99'))
    with pytest.raises(ValueError, match="format 99"):
        read_manifest(saved)


def test_only_two_steps_are_kept_and_names_cannot_leave_the_folder(tmp_path):
    save(tmp_path, 1, 2, 3)
    checkpoints = Checkpoints(tmp_path)
    with pytest.raises(ValueError, match="corpus name"):
        checkpoints.save(4, {"best": {"../x": SHARED}}, {})
    checkpoints.close()
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["2", "3"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"corpora": ["a"]}, "corpora is list, not dict"),
        ({"best_step": "7"}, "best_step is str, not int or NoneType"),
        ({"config": None}, "config is NoneType, not dict"),
        ({"corpora": {"a": "xy"}}, "the labels of 'a' are no list of texts"),
        ({"corpora": {"a": ["x", "x"]}}, "'a' has 2 labels, 1 of them different"),
        ({"corpora": {"a": []}}, "'a' has 0 labels"),
        ({"corpora": {"a": [str(number) for number in range(1001)]}}, "'a' has 1001 labels"),
    ],
)
def test_an_edited_manifest_is_one_error(tmp_path, changes, message):
    save(tmp_path, 7, **changes)
    with pytest.raises(ValueError, match=message) as error:
        read_manifest(tmp_path)
    assert "\n" not in str(error.value)


def test_links_are_refused(saved, tmp_path_factory):
    item = saved / "checkpoints" / "7" / "best-corpus-b"
    outside = tmp_path_factory.mktemp("outside") / "b"
    shutil.move(item, outside)
    item.symlink_to(outside)
    with pytest.raises(ValueError, match="is a link, which no checkpoint has"):
        restore(saved, {"b": CORPORA["b"]})
