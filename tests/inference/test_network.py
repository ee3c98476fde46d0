"""A network is built from the manifest, and loaded with the subtrees asked for."""

import shutil

import jax.numpy as jnp
import numpy as np
import pytest

from emojax import target
from emojax.checkpoints import Checkpoints, read_manifest
from emojax.inference.network import load_networks, make_forward, make_model


def test_no_other_corpus_is_read(tiny_run, tmp_path):
    shutil.copytree(tiny_run / "checkpoints", tmp_path / "checkpoints")
    for folder in (tmp_path / "checkpoints").glob("*/*-corpus-levels"):
        shutil.rmtree(folder)
    run = load_networks(tmp_path, ["tones"])
    assert list(run.networks) == ["tones"]
    assert list(run.manifest["corpora"]) == ["tones", "levels"]
    with pytest.raises(ValueError, match="no best state of levels"):
        load_networks(tmp_path)


def test_corpora_loaded_one_by_one_are_asked_by_one_program(tiny_run):
    first, second = (load_networks(tiny_run, [name]).model for name in ("tones", "levels"))
    assert make_forward(first) is make_forward(second)


def saved(workdir, manifest):
    """A checkpoint that has a state to go on from, and says of itself what it is told."""
    checkpoints = Checkpoints(workdir)
    checkpoints.save(0, {"latest": {"shared": np.zeros(1)}}, manifest)
    checkpoints.close()
    return workdir


def test_a_run_without_an_evaluation_has_no_best_network(tiny_run, tmp_path):
    workdir = saved(tmp_path, {**read_manifest(tiny_run), "best_step": None})
    with pytest.raises(ValueError, match="stopped before its first evaluation; go on training it"):
        load_networks(workdir)


def test_a_network_of_another_front_end_is_refused(tiny_run, tmp_path):
    manifest = read_manifest(tiny_run)
    manifest["front_end"]["mels"] = 40
    with pytest.raises(
        ValueError, match=r"front_end\.mels: the checkpoint has 40, this run has 64"
    ):
        load_networks(saved(tmp_path, manifest))


@pytest.mark.parametrize(
    ("precision", "target", "dtype"),
    [
        ("auto", target.CPU, jnp.float32),
        ("auto", target.GPU, jnp.bfloat16),
        ("auto", target.OLD_GPU, jnp.float16),
        ("bf16", target.CPU, jnp.bfloat16),
        ("f32", target.TPU, jnp.float32),
    ],
)
def test_half_precision_is_for_accelerators(tiny_config, precision, target, dtype):
    config = tiny_config.replace(precision=precision).network
    assert make_model(config, 3, target).compute_dtype == dtype


def test_a_network_has_the_forms_of_its_target(tiny_config):
    config = tiny_config.replace(fast_conv="auto").network
    here, there, gpu = (make_model(config, 3, kind) for kind in (None, target.TPU, target.GPU))
    assert (here.fast_conv, here.conv_shortcut, here.transform) == (True, False, "f64")
    assert (there.fast_conv, there.conv_shortcut, there.transform) == (False, True, "product")
    assert (here.joint_sums, there.joint_sums, gpu.joint_sums) == (False, False, True)
