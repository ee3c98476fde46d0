"""Corpora as vectors are the same corpora, and are trained as they are."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.data.batches import Batch
from emojax.data.feeds import HostFeed
from emojax.training.flat_corpora import flatten, put, stacked, take
from emojax.training.train_state import Average, Corpus, Shared
from emojax.training.train_step import Plan, make_train_steps


def corpus_of(number):
    """A corpus whose arrays are told apart by their numbers."""
    params = {"adapter": jnp.full((2, 3), 10.0 * number), "scale": jnp.arange(4.0) + number}
    stats = {"mean": jnp.full(4, -1.0 - number)}
    momentum = (), jax.tree.map(jnp.negative, params)
    average = Average({"params": params, "stats": stats}, jnp.int32(7_500 + number))
    return Corpus(params, stats, momentum, jnp.arange(3) < number, jnp.ones(3) * number, average)


@pytest.fixture
def stack():
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *map(corpus_of, (1, 2, 3)))


def assert_equal(ours, theirs):
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


def test_a_corpus_is_taken_and_put_back_and_no_other_changes(stack):
    flat = flatten(stack)
    assert flat.trained.shape == (3, (10 + 4 + 10) + (14 + 1))
    assert_equal(take(flat, jnp.array(1)), corpus_of(2))
    changed = dataclasses.replace(
        corpus_of(7), **vars(corpus_of(2)) | {"params": corpus_of(7).params}
    )
    for form in (flat, stack):
        after = stacked(put(form, changed, jnp.array(1)))
        for number, expected in enumerate((corpus_of(1), changed, corpus_of(3))):
            assert_equal(take(after, jnp.array(number)), expected)


def one_step(shared, corpus, batch, key, rate, *, model, optimizers):
    """Add what depends on the batch, the corpus and the step's key."""
    seen = batch.audio.astype(jnp.float32).mean() + jax.random.uniform(key)
    params = jax.tree.map(lambda leaf: leaf + rate * seen + shared.params, corpus.params)
    shared = Shared(shared.params + corpus.params["scale"].sum(), shared.opt_state)
    return shared, dataclasses.replace(corpus, params=params), seen


def test_a_round_of_vectors_is_the_round():
    rows = Batch(
        np.arange(3 * 4 * 8).reshape(3, 4, 8).astype(np.int16),
        np.full((3, 4), 8, np.int32),
        np.zeros((3, 4), np.int32),
    )
    plan = Plan(np.arange(3, dtype=np.int32), np.array([2, 0, 2], np.int32), rows)

    def trained(flat):
        parts = None, (None, None), jax.random.key(1), HostFeed.batch, one_step
        shared = Shared(jnp.zeros(()), ())
        stack = jax.tree.map(lambda *leaves: jnp.stack(leaves), *map(corpus_of, (1, 2, 3)))
        train_steps = make_train_steps(*parts, flat=flat)
        return train_steps(shared, [stack], (), [plan], [np.full(3, 0.1)], windows=(8,))

    assert_equal(trained(True), trained(False))
