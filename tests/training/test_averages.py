"""Averaged weights follow training, change nothing of it, and are what is evaluated and kept."""

import dataclasses
import itertools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.checkpoints import from_newest, read_manifest
from emojax.inference.network import load_networks
from emojax.training import checkpointing, loop
from emojax.training.averages import averaged, begin_averages, follow
from emojax.training.loop import train
from emojax.training.round_robin import RoundRobin
from emojax.training.train_state import EmoState, Shared

DRIVERS = {
    "in turn": {},
    "side by side": {"sampling": "synchronous"},
    "over a frozen trunk": {"transfer": "adapters"},
}


@pytest.fixture(autouse=True)
def nothing_but_training(monkeypatch):
    """Score devel without the network, each time better, and calibrate nothing."""
    scores = itertools.count(1)
    monkeypatch.setattr(
        loop, "devel_uars", lambda _, __, devel: dict.fromkeys(devel, next(scores) / 100)
    )
    monkeypatch.setattr(loop, "calibrate", lambda *_: None)


def equal(one, other) -> bool:
    return jax.tree.all(jax.tree.map(np.array_equal, one, other))


def numpy_of(tree):
    return jax.tree.map(np.array, tree)


def test_an_average_soon_forgets_where_it_began_and_keeps_what_is_frozen():
    frozen = jnp.array([0.1, 1e-3, 3e7])
    shared = Shared({"conv": frozen, "dense": jnp.zeros(1)}, ())
    part = begin_averages(EmoState(shared, {}, 0)).shared
    expected = 0.0
    for count, way in enumerate((9 / 10, 9 / 11, 9 / 12, 0.7, 0.7)):
        expected += way * (count**2 + 1.0 - expected)
        params = {"conv": frozen, "dense": jnp.full(1, count**2 + 1.0)}
        part = jax.jit(follow)(dataclasses.replace(part, params=params), 0.3)
        np.testing.assert_allclose(part.average.weights["params"]["dense"], expected, rtol=1e-5)
    assert equal(part.average.weights["params"]["conv"], frozen)
    assert int(part.average.updates) == 5


class StoppedError(Exception):
    """Error of a run that is stopped for a test."""


def recording_train(config, workdir, paths, monkeypatch):
    """Train; return the last state and what was evaluated last, corpus by corpus."""
    seen = []

    def devel_uars(_, state, devel):
        seen.append(
            {name: numpy_of((one.params, one.stats)) for name, one in state.corpora.items()}
        )
        return dict.fromkeys(devel, len(seen) / 100)

    with monkeypatch.context() as patch:
        patch.setattr(loop, "devel_uars", devel_uars)
        return train(config, workdir, paths), seen[-1]


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_is_evaluated_and_kept_is_the_average_also_of_a_run_that_was_stopped(
    driver, tiny_config, tiny_paths, tiny_run, tmp_path, monkeypatch
):
    own = DRIVERS[driver] | ({"base": str(tiny_run)} if "transfer" in DRIVERS[driver] else {})
    config = tiny_config.replace(learning_rates=(0.1,), average_decay=0.9, **own)
    state, evaluated = recording_train(config, tmp_path / "whole", tiny_paths, monkeypatch)
    tuned, rounds = config.transfer.frozen_trunk, config.schedule.rounds_per_phase
    of_shared = {"in turn": 2 * rounds, "side by side": rounds}.get(driver, 0)
    assert int(state.shared.average.updates) == of_shared
    assert {int(one.average.updates) for one in state.corpora.values()} == {rounds}
    for name, network in load_networks(tmp_path / "whole").networks.items():
        found, last = (network.corpus, network.stats), averaged(state)
        assert equal(found, evaluated[name])
        assert equal(found, (last.corpora[name].params, last.corpora[name].stats))
        assert not equal(found[0], state.corpora[name].params)
        assert equal(network.shared, last.shared.params)
        assert equal(network.shared, state.shared.params) == tuned
    with monkeypatch.context() as patch:
        patch.setattr(checkpointing, "SAVE_EVERY_S", 0.0)
        take = RoundRobin.train

        def stop_after_half(self, given):
            if self.step > state.step // 2:
                raise StoppedError
            return take(self, given)

        patch.setattr(RoundRobin, "train", stop_after_half)
        with pytest.raises(StoppedError):
            train(config, tmp_path / "stopped", tiny_paths)
    assert read_manifest(tmp_path / "stopped")["step"] == state.step // 2
    again = train(config, tmp_path / "stopped", tiny_paths)
    assert equal((again.shared, again.corpora), (state.shared, state.corpora))


def test_a_phase_begins_at_the_averages(tiny_config, tiny_paths, tmp_path, monkeypatch):
    config = tiny_config.replace(average_decay=0.9, learning_rates=(0.1, 0.01))
    uars, begun = iter([0.9, 0.5, 0.1, 0.1]), {}
    keep = checkpointing.CheckpointKeeper.keep

    def recording_keep(self, state, *arguments):
        evaluated = numpy_of(averaged(state).shared.params)
        state = keep(self, state, *arguments)
        begun[state.step] = evaluated, numpy_of(state.shared)
        return state

    monkeypatch.setattr(checkpointing.CheckpointKeeper, "keep", recording_keep)
    monkeypatch.setattr(loop, "devel_uars", lambda _, __, devel: dict.fromkeys(devel, next(uars)))
    train(config, tmp_path, tiny_paths)
    best, (_, shared) = begun[4][0], begun[8]
    assert equal(shared.params, best)
    assert equal(shared.average.weights["params"], best)


def test_training_is_what_it_is_without_averages(tiny_config, tiny_paths, tmp_path):
    config = tiny_config.replace(learning_rates=(0.1,), average_decay=0.9)
    state = train(config, tmp_path / "with", tiny_paths)
    plain = train(config.replace(average_decay=0.0), tmp_path / "without", tiny_paths)
    bare = {name: dataclasses.replace(one, average=None) for name, one in state.corpora.items()}
    assert equal((state.shared.params, bare), (plain.shared.params, plain.corpora))
    found = {
        folder: {
            name
            for item in from_newest(tmp_path / folder, lambda checkpoint: checkpoint.path).glob(
                "*-*"
            )
            for name in json.loads((item / "_METADATA").read_text())["tree_metadata"]
        }
        for folder in ("with", "without")
    }
    assert any("average" in name for name in found["with"])
    assert not any("average" in name for name in found["without"])
