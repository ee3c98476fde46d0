"""Adapters of several corpora over one trunk, one corpus after the other."""

import dataclasses

import jax
import numpy as np
import pytest

from emojax.checkpoints import read_manifest
from emojax.inference.network import load_networks
from emojax.target import CPU
from emojax.training import loop
from emojax.training.loop import train
from emojax.training.round_robin import RoundRobin


@pytest.fixture(scope="module")
def tuning(tiny_config, tiny_run):
    tuning = {"transfer": "adapters", "base": str(tiny_run)}
    schedule = {"rounds_per_phase": 4, "eval_every_rounds": 2, "learning_rates": (0.1, 0.01)}
    config = tiny_config.replace(**tuning, **schedule)
    return config


@pytest.fixture(scope="module")
def tuned(tuning, tiny_paths, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("tuned")
    train(tuning, workdir, tiny_paths)
    return workdir


def leaves(workdir):
    networks = load_networks(workdir).networks
    return {name: jax.tree.leaves(networks[name].corpus) for name in networks}


def test_several_rounds_in_a_call_train_what_one_at_a_time_trains(
    tuning, tuned, tiny_paths, tmp_path, monkeypatch
):
    target = dataclasses.replace(CPU, whole_rounds=True)
    monkeypatch.setattr("emojax.sharding.target_of", lambda device: target)
    train(tuning, tmp_path, tiny_paths)
    ours, theirs = leaves(tmp_path), leaves(tuned)
    for name in theirs:
        for one, other in zip(ours[name], theirs[name], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)


def test_no_corpus_ends_worse_on_devel_than_it_began(tuned, tiny_run):
    base, ours = (read_manifest(workdir)["devel_uar"] for workdir in (tiny_run, tuned))
    assert set(ours) == {"tones", "levels", "mean"}
    assert all(ours[name] >= base[name] for name in ours)


def test_each_corpus_keeps_its_own_best(tuning, tiny_paths, tmp_path, monkeypatch):
    # tones is best at the beginning, levels at its first evaluation; the trunk knows both states.
    uars = iter(
        [{"tones": 0.9, "levels": 0.1}, *[{"tones": 0.5}] * 4, {"levels": 0.8}]
        + [{"levels": 0.5}] * 3
    )
    seen = []

    def devel_uars(forward, state, devel):
        seen.append(
            {name: jax.tree.map(np.array, one.params) for name, one in state.corpora.items()}
        )
        return next(uars)

    monkeypatch.setattr(loop, "devel_uars", devel_uars)
    train(tuning, tmp_path, tiny_paths)
    manifest = read_manifest(tmp_path)
    assert manifest["devel_uar"] == pytest.approx({"tones": 0.9, "levels": 0.8, "mean": 0.85})
    networks = load_networks(tmp_path).networks
    for name, look in (("tones", 0), ("levels", 5)):
        assert jax.tree.all(jax.tree.map(np.array_equal, networks[name].corpus, seen[look][name]))


def test_a_corpus_without_patience_left_makes_room_for_the_next(
    tuning, tiny_paths, tmp_path, metrics, monkeypatch
):
    config = tuning.replace(patience_epochs=1, rounds_per_phase=100, eval_every_rounds=3)
    monkeypatch.setattr(loop, "devel_uars", lambda _, __, devel: dict.fromkeys(devel, 0.5))
    train(config, tmp_path, tiny_paths)
    looks = [
        [name for name in ("tones", "levels") if f"devel_uar/{name}" in line]
        for line in metrics(tmp_path)
    ]
    first = looks[1:].index(["levels"])
    assert looks[0] == ["tones", "levels"]
    assert looks[1:] == [["tones"]] * first + [["levels"]] * (len(looks) - 1 - first)
    schedules = read_manifest(tmp_path)["schedules"]
    assert all(one["phase"] == 2 and one["round"] < 200 for one in schedules.values())


def test_stopped_and_resumed_is_bitwise_uninterrupted(
    tuning, tuned, tiny_paths, tmp_path, monkeypatch
):
    class StoppedError(Exception):
        pass

    def stop_at_five(self, batch, train=RoundRobin.train):
        if self.state.step == 5:
            raise StoppedError
        return train(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(RoundRobin, "train", stop_at_five)
        with pytest.raises(StoppedError):
            train(tuning, tmp_path, tiny_paths)
    train(tuning, tmp_path, tiny_paths)
    ours, theirs = leaves(tmp_path), leaves(tuned)
    for name in theirs:
        assert all(map(np.array_equal, ours[name], theirs[name]))


def test_sampling_means_nothing_over_a_frozen_trunk(tuning):
    with pytest.raises(ValueError, match="trains every corpus by itself"):
        tuning.replace(sampling="size")
