"""Exponential moving averages of weights and statistics, which replace them in evaluation."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import jax
import jax.numpy as jnp

from emojax.training.train_state import Average, Corpus, EmoState, Shared

Part = TypeVar("Part", Shared, Corpus)


def begin_averages(state: EmoState) -> EmoState:
    """Add averages to a state; they start at its weights."""
    corpora = {name: _begin(corpus) for name, corpus in state.corpora.items()}
    return EmoState(_begin(state.shared), corpora, state.step)


def _begin(part: Part) -> Part:
    weights = {"params": part.params}
    if isinstance(part, Corpus):
        weights["stats"] = part.stats
    # A step donates its arrays, so the average needs arrays of its own.
    copied = jax.tree.map(jnp.copy, weights)
    return dataclasses.replace(part, average=Average(copied, jnp.zeros((), jnp.int32)))


def follow(part: Part, decay: float) -> Part:
    """Update the average of a part; a part without an average stays the same.

    Update t, from 0, has the decay min(decay, (1 + t) / (10 + t)), so that the first weights are
    soon forgotten (TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``).

    Args:
      part: the shared subtree or a corpus, after a step.
      decay: share of the old average, below 1.
    """
    if part.average is None:
        return part
    count = part.average.updates
    way = 1 - jnp.minimum(decay, (1 + count) / (10 + count))
    # In this form frozen weights keep their bits; in optax's form they do not.
    weights = {
        name: jax.tree.map(lambda old, new: old + way * (new - old), old, getattr(part, name))
        for name, old in part.average.weights.items()
    }
    return dataclasses.replace(part, average=Average(weights, count + 1))


def averaged(state: EmoState) -> EmoState:
    """Replace a state's weights by their averages; a state without averages stays the same."""
    corpora = {name: _averaged(corpus) for name, corpus in state.corpora.items()}
    return EmoState(_averaged(state.shared), corpora, state.step)


def _averaged(part: Part) -> Part:
    return dataclasses.replace(part, **part.average.weights) if part.average else part
