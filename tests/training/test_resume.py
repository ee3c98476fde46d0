"""A run that is killed at any moment goes on, and ends where an uninterrupted one ends, to the bit."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from emojax.checkpoints import Checkpoints, read_manifest, restore
from emojax.data import feeds
from emojax.data.feeds import DeviceFeed
from emojax.data.prefetch import AHEAD
from emojax.data.prepared import PreparedCorpus
from emojax.training import keeper as keeper_module
from emojax.training import loop
from emojax.training.corpora import open_corpora
from emojax.training.keeper import Keeper
from emojax.training.loop import train
from emojax.training.rounds import Verdict
from emojax.training.run import make_layout, make_manifest, make_run
from emojax.training.state import EmoState

ROOT = Path(__file__).parents[2]


def steps_written(workdir) -> list[int]:
    path = workdir / "metrics.jsonl"
    return [json.loads(line)["step"] for line in path.read_text().splitlines()] if path.exists() else []


def beginning(config, paths):
    corpora = open_corpora(paths, config.partition, config.seed)
    manifest = make_manifest(config, corpora)
    train_part = {name: corpus.load("train") for name, corpus in corpora.items()}
    layout = make_layout(config, len(corpora))
    return manifest, *make_run(config, manifest, train_part, DeviceFeed.batch, layout)


def state_of(workdir, kind, config, paths):
    _, _, _, like = beginning(config, paths)
    trees = restore(workdir, kind, {"shared": like.shared, **like.corpora})
    return read_manifest(workdir, kind)["step"], jax.tree.map(np.asarray, trees)


def stop(command, number, evaluations, workdir):
    """Begin, or go on with, a run, and send it a signal after so many looks; what it said."""
    log = workdir / "log.txt"
    with open(log, "w") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        while process.poll() is None and len(steps_written(workdir)) < evaluations:
            time.sleep(0.01)
        process.send_signal(number)
        process.wait(timeout=120)
    assert process.returncode != 0
    return log.read_text()


def test_stopped_three_times_and_resumed_is_bitwise_uninterrupted(
    tiny_command, tiny_config, tiny_paths, tiny_run, tmp_path
):
    stop(tiny_command(tmp_path), signal.SIGKILL, 1, tmp_path)
    said = stop(tiny_command(tmp_path), signal.SIGINT, 2, tmp_path)
    assert "the same command goes on from here" in said
    said = stop(tiny_command(tmp_path), signal.SIGKILL, 4, tmp_path)
    assert steps_written(tmp_path)[-1] < steps_written(tiny_run)[-1], said

    finished = subprocess.run(
        tiny_command(tmp_path), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert steps_written(tmp_path) == steps_written(tiny_run)
    for kind in ("latest", "best"):
        step, trees = state_of(tmp_path, kind, tiny_config, tiny_paths)
        expected_step, expected = state_of(tiny_run, kind, tiny_config, tiny_paths)
        assert step == expected_step
        assert jax.tree.all(jax.tree.map(np.array_equal, trees, expected))


def test_best_is_not_begun_while_latest_is_under_way(tiny_config, tiny_paths, tmp_path, monkeypatch):
    # A kill then must not find a best state of after the phase that the latest one begins.
    monkeypatch.setattr(keeper_module, "SAVE_EVERY_S", 0.0)
    pending: dict[Path, bool] = {}
    save, wait = Checkpoints.save, Checkpoints.wait

    def recording_save(self, step, *arguments):
        if self._directory.name == "best":
            assert not pending.get(tmp_path, False), "best begun while latest is under way"
        else:
            pending[tmp_path] = True
        save(self, step, *arguments)

    def recording_wait(self):
        wait(self)
        if self._directory.name == "latest":
            pending[tmp_path] = False

    monkeypatch.setattr(Checkpoints, "save", recording_save)
    monkeypatch.setattr(Checkpoints, "wait", recording_wait)
    train(tiny_config, tmp_path, tiny_paths)
    assert pending


def test_what_begins_a_phase_is_saved_and_the_rest_once_a_minute(
    tiny_config, tiny_paths, tmp_path, monkeypatch
):
    steps, save = [], Checkpoints.save

    def recording_save(self, step, *arguments):
        if self._directory.name == "latest":
            steps.append(step)
        save(self, step, *arguments)

    monkeypatch.setattr(Checkpoints, "save", recording_save)
    train(tiny_config, tmp_path, tiny_paths)
    # Of the looks at 4, 8, ... 24: the first one, two after which a phase begins, and the last one.
    assert steps == [4, 8, 16, 24]


def test_training_goes_on_while_its_state_is_saved(tiny_config, tiny_paths, tmp_path, monkeypatch):
    manifest, _, _, state = beginning(tiny_config, tiny_paths)
    goes_on, save = threading.Event(), Checkpoints.save

    def slow_save(self, *arguments):
        assert goes_on.wait(timeout=60)
        save(self, *arguments)

    monkeypatch.setattr(Checkpoints, "save", slow_save)
    keeper = Keeper(tmp_path, manifest)
    state = keeper.keep(dataclasses.replace(state, step=4), {}, Verdict([*state.corpora], [], {"mean": 0.5}))
    expected = jax.tree.map(np.array, {"shared": state.shared, **state.corpora})
    for leaf in jax.tree.leaves((state.shared, state.corpora)):
        leaf.delete()  # as a step does that takes its arrays
    later = jax.tree.map(np.zeros_like, {"shared": expected["shared"], **expected})
    later = EmoState(later.pop("shared"), later, 6)
    keeper.keep(later, {}, Verdict([*later.corpora], [], {"mean": 0.9}))  # a better one, before it is saved
    goes_on.set()
    keeper.close()
    for kind in ("latest", "best"):
        step, saved = state_of(tmp_path, kind, tiny_config, tiny_paths)
        assert step == 4
        assert jax.tree.all(jax.tree.map(np.array_equal, saved, expected))
    assert read_manifest(tmp_path, "best")["devel_uar"] == {"mean": 0.5}


def test_what_goes_wrong_while_a_state_is_saved_is_said(tiny_config, tiny_paths, tmp_path, monkeypatch):
    def full(self, *_):
        raise OSError("no space left on device")

    monkeypatch.setattr(keeper_module, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(Checkpoints, "save", full)
    with pytest.raises(OSError, match="no space left on device"):
        train(tiny_config, tmp_path, tiny_paths)


def test_a_best_state_that_may_never_come_is_taken_back(tiny_config, tiny_paths, tmp_path, monkeypatch):
    # What a kill between the best state and the latest one leaves behind.
    monkeypatch.setattr(keeper_module, "SAVE_EVERY_S", 0.0)
    manifest, _, _, state = beginning(tiny_config, tiny_paths)

    def keep(step, uar):
        better = Verdict(list(state.corpora), [], {"mean": uar})
        keeper.keep(dataclasses.replace(state, step=step), {}, better)

    def on_disk():
        keeper.last_saved()
        manifests = [read_manifest(tmp_path, kind) for kind in ("latest", "best")]
        return *(one["step"] for one in manifests), manifests[1]["devel_uar"]["mean"]

    keeper = Keeper(tmp_path, manifest)
    keep(4, 0.4)
    assert on_disk() == (4, 4, 0.4)
    with monkeypatch.context() as killed:
        killed.setattr(keeper._latest, "save", lambda *_: None)
        keep(8, 0.6)
        assert on_disk() == (4, 8, 0.6)
    keeper.close()
    keeper = Keeper(tmp_path, manifest)
    assert keeper.resume(state)[0].step == 4
    keep(6, 0.5)
    assert on_disk() == (6, 6, 0.5)
    keeper.close()


@pytest.mark.parametrize("kind", ["best", "latest"])
def test_a_half_deleted_run_is_refused(kind, tiny_config, tiny_paths, tmp_path, monkeypatch):
    monkeypatch.setattr(keeper_module, "SAVE_EVERY_S", 0.0)
    manifest, _, _, state = beginning(tiny_config, tiny_paths)
    keeper = Keeper(tmp_path, manifest)
    for step in (4, 8):
        keeper.keep(dataclasses.replace(state, step=step), {}, Verdict(list(state.corpora), [], {}))
    keeper.close()
    shutil.rmtree(tmp_path / "checkpoints" / kind)
    with pytest.raises(ValueError, match="another --workdir"):
        Keeper(tmp_path, manifest)


def test_a_run_killed_before_its_first_latest_state_is_no_other_run(tiny_config, tiny_paths, tmp_path):
    manifest, _, _, state = beginning(tiny_config, tiny_paths)
    keeper = Keeper(tmp_path, manifest)
    keeper.keep(dataclasses.replace(state, step=4), {}, Verdict(list(state.corpora), [], {}))
    keeper.close()
    shutil.rmtree(tmp_path / "checkpoints" / "latest")
    Keeper(tmp_path, manifest).close()
    with pytest.raises(ValueError, match=r"config\.width: the checkpoint has 4"):
        Keeper(tmp_path, {**manifest, "config": {**manifest["config"], "width": 8}})


def test_what_a_run_left_that_was_killed_before_its_first_latest_state_is_removed(
    tiny_config, tiny_paths, tmp_path
):
    # Else a run that stops before that step would have a best state of after its end.
    manifest, _, _, state = beginning(tiny_config, tiny_paths)
    keeper = Keeper(tmp_path, manifest)
    keeper.keep(dataclasses.replace(state, step=4), {}, Verdict(list(state.corpora), [], {}))
    keeper.close()
    shutil.rmtree(tmp_path / "checkpoints" / "latest")
    keeper = Keeper(tmp_path, manifest)
    assert keeper.resume(state) == (state, {})
    keeper.save(dataclasses.replace(state, step=2), {})
    keeper.close()
    assert not list((tmp_path / "checkpoints" / "best").glob("[0-9]*"))


def test_two_runs_in_one_folder_are_refused(tiny_config, tiny_paths, tmp_path):
    import fcntl

    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match="another process trains here"):
            train(tiny_config, tmp_path, tiny_paths)


def test_a_finished_run_stays_as_it_is(tiny_config, tiny_paths, tiny_run):
    before = {path: path.stat().st_mtime_ns for path in (tiny_run / "checkpoints").rglob("d/*")}
    train(tiny_config, tiny_run, tiny_paths)
    assert before == {path: path.stat().st_mtime_ns for path in (tiny_run / "checkpoints").rglob("d/*")}


def test_other_settings_are_refused_and_listed(tiny_config, tiny_paths, tiny_run):
    other = tiny_config.copy_and_resolve_references()
    other.update(width=8, seed=1)
    with pytest.raises(ValueError, match=r"config\.width: the checkpoint has 4, this run has 8") as error:
        train(other, tiny_run, tiny_paths)
    assert "config.seed" in str(error.value)


def test_a_phase_begins_at_the_best_state(tiny_config, tiny_paths, tmp_path, monkeypatch):
    # EmoNet went on from the current state, not the best one, when it lowered the learning rate.

    uars = iter([0.9, 0.5, 0.1, 0.1, 0.1, 0.1])
    kept = {}
    keep = loop.Keeper.keep

    def recording_keep(self, state, schedules, verdict):
        before = jax.tree.map(np.array, state.shared.params)
        state = keep(self, state, schedules, verdict)
        kept[state.step] = (before, jax.tree.map(np.array, state.shared.params), bool(verdict.restarted))
        return state

    monkeypatch.setattr(loop.Keeper, "keep", recording_keep)
    monkeypatch.setattr(loop, "devel_uars", lambda *_: {"mean": next(uars)})
    train(tiny_config, tmp_path, tiny_paths)
    best = kept[4][0]
    for step, (before, after, begins_phase) in kept.items():
        assert jax.tree.all(jax.tree.map(np.array_equal, after, best if begins_phase else before)), step
    assert [step for step, (_, _, begins) in kept.items() if begins] == [8, 16]
    assert read_manifest(tmp_path, "best")["step"] == 4  # the best state is kept, not the last


def test_training_reads_no_test_clip(tiny_config, tiny_paths, tmp_path, monkeypatch):
    read = {}
    records = PreparedCorpus.records
    monkeypatch.setattr(
        PreparedCorpus,
        "records",
        lambda corpus, indices: (
            read.setdefault(corpus.spec.name, set()).update(indices) or records(corpus, indices)
        ),
    )
    train(tiny_config, tmp_path, tiny_paths)
    for name, corpus in open_corpora(tiny_paths, tiny_config.partition, tiny_config.seed).items():
        assert read[name]
        assert not read[name] & set(corpus.partition.parts["test"])


def test_clips_that_fit_nowhere_are_read_when_their_step_comes(
    tiny_config, tiny_paths, tiny_run, tmp_path, metrics, monkeypatch
):
    read = []
    records = PreparedCorpus.records
    monkeypatch.setattr(
        PreparedCorpus, "records", lambda corpus, indices: read.extend(indices) or records(corpus, indices)
    )
    monkeypatch.setattr(feeds, "_free_host_bytes", lambda: 0)
    train(tiny_config, tmp_path, tiny_paths)
    corpora = open_corpora(tiny_paths, tiny_config.partition, tiny_config.seed).values()
    devel = sum(len(corpus.partition.parts["devel"]) for corpus in corpora)
    steps = read_manifest(tmp_path, "latest")["step"]
    assert steps * tiny_config.batch_size <= len(read) - devel <= (steps + AHEAD + 1) * tiny_config.batch_size
    ours, theirs = metrics(tmp_path), metrics(tiny_run)
    # To the bit, if the two programs rounded alike; that the clips are the same is tested beside the feeds.
    assert [line["loss/mean"] for line in ours] == pytest.approx(
        [line["loss/mean"] for line in theirs], rel=0.05
    )


def test_metrics_are_json_lines_and_tensorboard_events(tiny_run, metrics):
    assert {"step", "loss/mean", "loss/tones", "devel_uar/mean", "devel_uar/levels", "devel_uar/best"} <= set(
        metrics(tiny_run)[0]
    )
    assert any((tiny_run / "tensorboard").iterdir())
    assert os.path.exists(tiny_run / "checkpoints" / "best")
