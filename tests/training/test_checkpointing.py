"""Two states in one checkpoint: what is saved, when, and what is found again."""

import dataclasses
import threading

import jax
import numpy as np
import pytest

from emojax.checkpoints import Checkpoints, from_newest, read_manifest
from emojax.training import checkpointing
from emojax.training.checkpointing import CheckpointKeeper
from emojax.training.loop import train
from emojax.training.schedule import EvalDecision, Schedule
from emojax.training.train_state import EmoState


def filled(state, number, step):
    """A state of that step, all of whose numbers are the same."""
    shared, corpora = jax.tree.map(
        lambda leaf: np.full_like(leaf, number), (state.shared, state.corpora)
    )
    return EmoState(shared, corpora, step)


def keep(keeper, state, uar, improved=True, restarted=()):
    names = [*state.corpora]
    decision = EvalDecision(names if improved else [], restarted)
    return keeper.keep(state, {"all": Schedule(state.step)}, decision, dict.fromkeys(names, uar))


def number_of(state):
    (number,) = {float(leaf.ravel()[0]) for leaf in jax.tree.leaves(state.shared.params)}
    return number


def saved_number(workdir, kind, like):
    trees = from_newest(
        workdir, lambda one: one.restore(kind, {"shared": like.shared, **like.corpora})
    )
    return number_of(EmoState(trees.pop("shared"), trees, 0))


def test_states_are_saved_once_a_minute_and_at_the_end(
    tiny_config, tiny_paths, tmp_path, monkeypatch
):
    steps, save = [], Checkpoints.save

    def recording_save(self, step, *arguments):
        steps.append(step)
        save(self, step, *arguments)

    monkeypatch.setattr(Checkpoints, "save", recording_save)
    train(tiny_config, tmp_path, tiny_paths)
    assert steps == [4, 24]  # of the evaluations at 4, 8, ... 24


def test_the_two_states_are_always_one_checkpoint(beginning, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpointing, "SAVE_EVERY_S", 0.0)
    manifest, state = beginning
    keeper = CheckpointKeeper(tmp_path, manifest)
    keep(keeper, filled(state, 1, 4), 0.4)
    keep(keeper, filled(state, 2, 8), 0.3, improved=False)
    keeper.close()
    assert (saved_number(tmp_path, "latest", state), saved_number(tmp_path, "best", state)) == (
        2,
        1,
    )
    saved = read_manifest(tmp_path)
    assert (saved["step"], saved["best_step"], saved["devel_uar"]["mean"]) == (8, 4, 0.4)


def test_a_resumed_run_has_both_states_and_its_progress(beginning, tmp_path):
    manifest, state = beginning
    keeper = CheckpointKeeper(tmp_path, manifest)
    keep(keeper, filled(state, 1, 4), 0.4)
    keeper.save(filled(state, 2, 8), {"all": Schedule(2)})
    keeper.close()
    keeper = CheckpointKeeper(tmp_path, manifest)
    latest, progress = keeper.resume(state)
    assert (latest.step, number_of(latest), progress) == (8, 2, {"all": Schedule(2)})
    restarted = keep(keeper, filled(state, 3, 12), 0.1, improved=False, restarted=[*state.corpora])
    assert number_of(restarted) == 1  # a phase begins at the best state
    keeper.close()


def test_a_damaged_newest_step_is_trained_again(beginning, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpointing, "SAVE_EVERY_S", 0.0)
    manifest, state = beginning
    keeper = CheckpointKeeper(tmp_path, manifest)
    for step in (4, 8):
        keep(keeper, filled(state, step, step), step / 10)
    keeper.close()
    (tmp_path / "checkpoints" / "8" / "latest-shared" / "manifest.ocdbt").write_bytes(b"")
    keeper = CheckpointKeeper(tmp_path, manifest)
    with pytest.warns(UserWarning, match="using step 4 instead"):
        latest, _ = keeper.resume(state)
    assert (latest.step, number_of(latest)) == (4, 4)
    keeper.save(filled(state, 6, 6), {})
    keeper.close()
    assert read_manifest(tmp_path)["step"] == 6


def test_training_goes_on_while_its_state_is_saved(beginning, tmp_path, monkeypatch):
    manifest, state = beginning
    goes_on, save = threading.Event(), Checkpoints.save

    def slow_save(self, *arguments):
        assert goes_on.wait(timeout=60)
        save(self, *arguments)

    monkeypatch.setattr(Checkpoints, "save", slow_save)
    keeper = CheckpointKeeper(tmp_path, manifest)
    taken = jax.tree.map(jax.numpy.asarray, filled(state, 1, 4))
    keep(keeper, taken, 0.5)
    for leaf in jax.tree.leaves((taken.shared, taken.corpora)):
        leaf.delete()  # as a step does that takes its arrays
    keep(keeper, filled(state, 2, 6), 0.9)  # a better one, before it is saved
    goes_on.set()
    keeper.close()
    for kind in ("latest", "best"):
        assert saved_number(tmp_path, kind, state) == 1
    assert read_manifest(tmp_path)["devel_uar"]["mean"] == 0.5


def test_what_was_evaluated_last_can_be_saved_later(beginning, tmp_path):
    manifest, state = beginning
    keeper = CheckpointKeeper(tmp_path, manifest)
    keep(keeper, filled(state, 1, 4), 0.4)  # saved, the first of its minute
    keep(keeper, filled(state, 2, 8), 0.6)
    assert keeper.last_saved().name == "4"
    keeper.flush()
    assert keeper.last_saved().name == "8"
    keeper.close()
    assert saved_number(tmp_path, "best", state) == 2


def test_what_goes_wrong_while_a_state_is_saved_is_said(
    tiny_config, tiny_paths, tmp_path, monkeypatch
):
    def full(self, *_):
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpointing, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(Checkpoints, "save", full)
    with pytest.raises(OSError, match="no space left on device"):
        train(tiny_config, tmp_path, tiny_paths)


def test_another_network_is_refused_and_every_difference_named(beginning, tmp_path):
    manifest, state = beginning
    keeper = CheckpointKeeper(tmp_path, manifest)
    keeper.save(dataclasses.replace(state, step=4), {})
    keeper.close()
    CheckpointKeeper(tmp_path, manifest).close()
    with pytest.raises(ValueError, match=r"config\.width: the checkpoint has 4"):
        CheckpointKeeper(tmp_path, {**manifest, "config": {**manifest["config"], "width": 8}})


def test_a_run_that_is_older_than_a_setting_goes_on_with_its_default(beginning, tmp_path):
    manifest, state = beginning
    config = {name: value for name, value in manifest["config"].items() if name != "mixup"}
    keeper = CheckpointKeeper(tmp_path, {**manifest, "config": config})
    keeper.save(dataclasses.replace(state, step=4), {})
    keeper.close()
    CheckpointKeeper(tmp_path, manifest).close()
    with pytest.raises(ValueError, match=r"config\.mixup: the checkpoint has 0\.0, this run has 1"):
        CheckpointKeeper(tmp_path, {**manifest, "config": {**config, "mixup": 1.0}})


def test_a_state_that_is_not_finite_replaces_none(beginning, tmp_path):
    manifest, state = beginning
    keeper = CheckpointKeeper(tmp_path, manifest)
    keep(keeper, filled(state, 1, 4), 0.4)
    for store in (lambda bad: keep(keeper, bad, 0.5), lambda bad: keeper.save(bad, {})):
        with pytest.raises(
            FloatingPointError, match="not finite after step 8; train again with smaller"
        ):
            store(filled(state, np.nan, 8))
    keeper.close()
    assert saved_number(tmp_path, "best", state) == saved_number(tmp_path, "latest", state) == 1
