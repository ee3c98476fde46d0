"""What a training run keeps, refuses and reads."""

import fcntl

import jax
import numpy as np
import pytest

from emojax.checkpoints import read_manifest
from emojax.data import feeds
from emojax.data.feeds import AHEAD
from emojax.data.partitioned import open_corpora
from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.evaluator import evaluate
from emojax.training import loop
from emojax.training.checkpointing import CheckpointKeeper
from emojax.training.loop import train


def test_two_runs_in_one_folder_are_refused(tiny_config, tiny_paths, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    with open(tmp_path / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for folder in (tmp_path, f"~/{tmp_path.name}"):
            with pytest.raises(ValueError, match="another process trains here"):
                train(tiny_config, folder, tiny_paths)


def test_a_finished_run_stays_as_it_is(tiny_config, tiny_paths, tiny_run):
    before = {path: path.stat().st_mtime_ns for path in (tiny_run / "checkpoints").rglob("d/*")}
    train(tiny_config, tiny_run, tiny_paths)
    assert before == {
        path: path.stat().st_mtime_ns for path in (tiny_run / "checkpoints").rglob("d/*")
    }


def test_other_settings_are_refused_and_listed(tiny_config, tiny_paths, tiny_run):
    other = tiny_config.replace(width=8, seed=1)
    with pytest.raises(
        ValueError, match=r"config\.width: the checkpoint has 4, this run has 8"
    ) as error:
        train(other, tiny_run, tiny_paths)
    assert "config.seed" in str(error.value)


def test_a_phase_begins_at_the_best_state(tiny_config, tiny_paths, tmp_path, monkeypatch):
    # EmoNet went on from the current state, not the best one, when it lowered the learning rate.

    uars = iter([0.9, 0.5, 0.1, 0.1, 0.1, 0.1])
    kept = {}
    keep = CheckpointKeeper.keep

    def recording_keep(self, state, progress, decision, uars):
        before = jax.tree.map(np.array, state.shared.params)
        state = keep(self, state, progress, decision, uars)
        kept[state.step] = (
            before,
            jax.tree.map(np.array, state.shared.params),
            bool(decision.restarted),
        )
        return state

    monkeypatch.setattr(CheckpointKeeper, "keep", recording_keep)
    monkeypatch.setattr(loop, "devel_uars", lambda _, __, devel: dict.fromkeys(devel, next(uars)))
    train(tiny_config, tmp_path, tiny_paths)
    best = kept[4][0]
    for step, (before, after, begins_phase) in kept.items():
        assert jax.tree.all(
            jax.tree.map(np.array_equal, after, best if begins_phase else before)
        ), step
    assert [step for step, (_, _, begins) in kept.items() if begins] == [8, 16]
    assert read_manifest(tmp_path)["best_step"] == 4  # the best state is kept, not the last


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
    for name, corpus in open_corpora(tiny_paths, **vars(tiny_config.data)).items():
        assert read[name]
        assert not read[name] & set(corpus.partition.parts["test"])


def test_clips_that_fit_nowhere_are_read_when_their_step_comes(
    tiny_config, tiny_paths, tiny_run, tmp_path, metrics, monkeypatch
):
    read = []
    records = PreparedCorpus.records
    monkeypatch.setattr(
        PreparedCorpus,
        "records",
        lambda corpus, indices: read.extend(indices) or records(corpus, indices),
    )
    monkeypatch.setattr(feeds, "free_bytes", lambda: 0)
    # With the forms of convolutions that are fast on CPUs, which the other tiny runs leave out.
    train(tiny_config.replace(fast_conv="on"), tmp_path, tiny_paths)
    corpora = open_corpora(tiny_paths, **vars(tiny_config.data)).values()
    # Devel is read once before training; the training part once more, for the calibration.
    once = sum(len(corpus.partition.parts[p]) for corpus in corpora for p in ("train", "devel"))
    steps = read_manifest(tmp_path)["step"]
    assert (
        steps * tiny_config.train.batch_size
        <= len(read) - once
        <= (steps + AHEAD + 1) * tiny_config.train.batch_size
    )
    # The two programs round otherwise, which training enlarges from look to look.
    ours, theirs = (metrics(run)[0]["loss/mean"] for run in (tmp_path, tiny_run))
    assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_refit_ends_at_its_last_state_and_is_scored(tiny_config, tiny_paths, tmp_path, metrics):
    config = tiny_config.replace(refit=True, cosine=True, warmup_rounds=1, learning_rates=(0.1,))
    state = loop.train(config, tmp_path, tiny_paths)
    manifest = read_manifest(tmp_path)
    assert (manifest["best_step"], manifest["step"]) == (state.step, state.step)
    assert manifest["devel_uar"] == {}
    assert not any(name.startswith("devel_uar") for line in metrics(tmp_path) for name in line)
    assert [result.corpus for result in evaluate(tmp_path)] == list(tiny_paths)
    assert loop.train(config, tmp_path, tiny_paths).step == state.step  # it is finished
