"""A published model answers as its run does, and nothing in its folder is trusted."""

import hashlib
import json
import math

import jax
import numpy as np
import pytest
import safetensors.numpy

import emojax
from emojax.experiments.launch.spec import read_config_file
from emojax.inference.network import init_network, load_networks, make_model
from emojax.weights import open_model, write_model

KERNEL = "shared/params/conv/kernel"
VARIANCE = "tones/stats/norm/variance"


def tensors_of(folder):
    return safetensors.numpy.load_file(folder / "model.safetensors")


def edit_config(folder, **entries):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}), encoding="utf-8")


def put(folder, tensors):
    """Give a folder other weights, described as a stranger would describe them."""
    content = safetensors.numpy.save(tensors)
    (folder / "model.safetensors").write_bytes(content)
    edit_config(folder, sha256=hashlib.sha256(content).hexdigest())


def test_the_answers_are_those_of_the_run(tiny_run, exported, tiny_sources):
    clips = sorted((tiny_sources / "tones").glob("0_*.wav"))
    ours, theirs = (emojax.load(of, "tones").predict_many(clips) for of in (exported, tiny_run))
    assert len(clips) == 9
    for one, other in zip(ours, theirs, strict=True):
        assert one == pytest.approx(other, abs=5e-3)


def test_kernels_are_float16_and_the_rest_is_exact(tiny_run, exported):
    tensors = tensors_of(exported)
    assert all((tensor.dtype == np.float16) == (tensor.ndim > 1) for tensor in tensors.values())
    assert {tensors[KERNEL].dtype, tensors[VARIANCE].dtype} == {np.dtype("f2"), np.dtype("f4")}
    network = load_networks(tiny_run, ["tones"]).networks["tones"]
    np.testing.assert_array_equal(tensors[VARIANCE], network.stats["norm"]["variance"])
    loaded = load_networks(exported, ["tones"]).networks["tones"]
    assert {leaf.dtype for leaf in jax.tree.leaves((loaded.shared, loaded.corpus))} == {
        np.dtype("float32")
    }


def test_a_network_of_twelve_corpora_takes_at_most_8_mb(tmp_path):
    config = read_config_file("configs/multi_corpus.py").network
    shared, corpus, stats = jax.eval_shape(
        lambda: init_network(make_model(config, classes=10), jax.random.key(0))
    )
    ones = jax.tree.map(lambda leaf: np.ones(leaf.shape, leaf.dtype), (shared, corpus, stats))
    names = [f"corpus{number}" for number in range(12)]
    trees = {name: {"params": ones[1], "stats": ones[2]} for name in names}
    manifest = {
        **{name: {} for name in ("front_end", "partitions", "config", "schedules", "devel_uar")},
        **{"emojax": "0", "step": 1, "best_step": 1},
        "corpora": {name: ["a", "b"] for name in names},
    }
    write_model(tmp_path, manifest, {"shared": {"params": ones[0]}, **trees})
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 8e6


def test_one_damaged_bit_is_refused(published):
    path = published / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"not the file that config\.json describes; get the"):
        emojax.load(published, "tones")


@pytest.mark.parametrize("size", [0, 7, 100, -1])
def test_a_truncated_file_is_refused_whatever_its_digest(published, size):
    content = (published / "model.safetensors").read_bytes()[:size]
    (published / "model.safetensors").write_bytes(content)
    edit_config(published, sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(ValueError, match=r"model\.safetensors: it cannot be read") as error:
        emojax.load(published, "tones")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (KERNEL, lambda own: own.astype(np.int32), "int32, not float16 or float32"),
        (KERNEL, lambda own: own.astype(np.float64), "float64, not float16 or float32"),
        (KERNEL, lambda own: own[..., :1], r"has shape \(3, 3, 1, 1\), not \(3, 3, 1, 4\)"),
        (KERNEL, lambda own: np.full_like(own, np.nan), "not finite or beyond 65504"),
        (VARIANCE, lambda own: np.full_like(own, np.inf), "not finite or beyond 65504"),
        (VARIANCE, lambda own: np.full_like(own, 1e30), "not finite or beyond 65504"),
        (VARIANCE, lambda own: -own, "has a negative value"),
    ],
)
def test_other_tensors_are_refused(published, name, change, message):
    tensors = tensors_of(published)
    put(published, {**tensors, name: np.array(change(tensors[name]), order="C")})
    with pytest.raises(ValueError, match=f"{name}.*{message}.*get the model again"):
        emojax.load(published, "tones")


def test_renamed_tensors_are_refused(published):
    tensors = tensors_of(published)
    tensors["shared/params/\x1b[2J/kernel"] = tensors.pop(KERNEL)
    put(published, tensors)
    with pytest.raises(ValueError, match=r"is missing|is unknown") as error:
        emojax.load(published, "tones")
    assert str(error.value).isprintable()


def test_sizes_are_bounded_before_anything_is_read(published):
    for name, size in (("model.safetensors", 2**28), ("config.json", 2**22)):
        with open(published / name, "r+b") as file:
            file.truncate(size + 1)  # sparse, so it takes no room
        with pytest.raises(ValueError, match=rf"{name} is larger than \d+ MB"):
            emojax.load(published, "tones")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_links_out_of_the_folder_are_refused(published, name):
    outside = (published / name).rename(published.parent / name)
    (published / name).symlink_to(outside)
    with pytest.raises(ValueError, match="is a link to another folder"):
        emojax.load(published, "tones")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_is_missing_is_named(published, name):
    (published / name).unlink()
    with pytest.raises(ValueError, match=f"{name}: No such file"):
        emojax.load(published, "tones")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"format": 2}, "format 2, this emojax reads 1"),
        ({"format": True}, "format True, this emojax reads 1"),
        ({"corpora": {}}, "it has no corpus"),
        ({"corpora": {"../x": ["a", "b"]}}, "corpus name '../x'"),
        ({"corpora": {"shared": ["a", "b"]}}, "corpus name 'shared' is taken"),
        ({"corpora": {"tones": ["a", "b\x1b[2J"]}}, "a label of tones has a control character"),
        ({"best_step": "7"}, "best_step is str"),
        ({"sha256": 7}, "sha256 is no str"),
        ({"calibration": []}, "calibration is no dict"),
        ({"base": 7}, "base is int, not dict"),
        ({"base": {"config": {}}}, "base: partitions is NoneType, not dict"),
        ({"front_end": {"mels": 40}}, "another network"),
        ({"config": {}}, "there is no setting width"),
        ({"devel_uar": {"tones": math.nan}}, "NaN is no number"),
    ],
)
def test_an_edited_description_is_one_error(published, entries, message):
    edit_config(published, **entries)
    with pytest.raises(ValueError, match=message):
        emojax.load(published, "tones")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 200_000, b"7", b"[]"])
def test_what_is_no_description_is_one_error(published, content):
    (published / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"config\.json: (it cannot be read|format None)"):
        open_model(published)


@pytest.mark.parametrize("value", [np.nan, 1e6])
def test_what_float16_cannot_hold_is_not_published(tmp_path, value):
    trees = {"shared": {"params": {"conv": {"kernel": np.full((2, 2), value, np.float32)}}}}
    with pytest.raises(ValueError, match=f"{KERNEL} has a value.*cannot be published"):
        write_model(tmp_path, {}, trees)
    assert not list(tmp_path.iterdir())


def test_there_is_no_other_state_than_the_best(exported):
    with pytest.raises(ValueError, match="has no latest state; choose best"):
        load_networks(exported, state="latest")
