"""A trace of a few steps."""

import gzip
import json

import jax
import numpy as np

from emojax.checkpoints import from_newest, read_manifest
from emojax.training.loop import train
from emojax.training.profile import Profile


def test_a_trace_is_written_and_changes_nothing(
    tiny_config, tiny_paths, tiny_run, tmp_path, capsys
):
    state = train(tiny_config, tmp_path, tiny_paths, profile=True)
    (trace,) = (tmp_path / "profile").rglob("*.trace.json.gz")
    with gzip.open(trace) as file:
        names = {event.get("name", "") for event in json.load(file)["traceEvents"]}
    assert any("train_step" in name for name in names)
    assert list((tmp_path / "profile").rglob("*.xplane.pb"))  # TensorBoard's
    assert f"a trace is in {tmp_path / 'profile'}" in capsys.readouterr().out
    assert read_manifest(tiny_run)["step"] == state.step
    expected = from_newest(tiny_run, lambda one: one.restore("latest", {"shared": state.shared}))[
        "shared"
    ]
    assert jax.tree.all(jax.tree.map(np.array_equal, state.shared, expected))


def test_a_run_that_is_too_short_says_so(tmp_path, capsys):
    with Profile(tmp_path / "profile", 0, 2, lambda: None) as profile:
        profile.advance(3)
    assert "no trace" in capsys.readouterr().out
    assert not (tmp_path / "profile").exists()


def test_without_a_folder_nothing_happens(capsys):
    with Profile(None, 0, 2, lambda: None) as profile:
        profile.advance(100)
    assert not capsys.readouterr().out
