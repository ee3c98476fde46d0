"""Averaged weights: an exponential average of all that a run trains, which is what is used."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import jax
import jax.numpy as jnp

from emojax.training.train_state import Average, Corpus, EmoState, Shared

Part = TypeVar("Part", Shared, Corpus)


def begin_averages(state: EmoState) -> EmoState:
    """Return a state whose averages begin at its weights."""
    corpora = {name: _begin(corpus) for name, corpus in state.corpora.items()}
    return EmoState(_begin(state.shared), corpora, state.step)


def _begin(part: Part) -> Part:
    weights = {"params": part.params}
    if isinstance(part, Corpus):
        weights["stats"] = part.stats
    # A step takes its arrays, so no two may be the same.
    copied = jax.tree.map(jnp.copy, weights)
    return dataclasses.replace(part, average=Average(copied, jnp.zeros((), jnp.int32)))


def follow(part: Part, decay: float) -> Part:
    """Return a part whose average has moved towards its weights; without an average, the part.

    The average of update t moves by 1 − min(decay, (1 + t) / (10 + t)) of the way, so that it soon
    forgets where it began (as TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``).

    Args:
      part: the shared subtree or a corpus, after an update.
      decay: share of the old average, below 1.
    """
    if part.average is None:
        return part
    count = part.average.updates
    way = 1 - jnp.minimum(decay, (1 + count) / (10 + count))
    # In this form what is frozen stays as it is, to the bit; in that of optax it does not.
    weights = {
        name: jax.tree.map(lambda old, new: old + way * (new - old), old, getattr(part, name))
        for name, old in part.average.weights.items()
    }
    return dataclasses.replace(part, average=Average(weights, count + 1))


def averaged(state: EmoState) -> EmoState:
    """Return a state with its averages in the place of its weights; without averages, the state."""
    corpora = {name: _averaged(corpus) for name, corpus in state.corpora.items()}
    return EmoState(_averaged(state.shared), corpora, state.step)


def _averaged(part: Part) -> Part:
    return dataclasses.replace(part, **part.average.weights) if part.average else part
