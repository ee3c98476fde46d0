import itertools
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emojax.data.prepared import Recordings
from emojax.data.sampling import drawn_clips, prefetched, training_batches


def recordings(clips, seed=0):
    random = np.random.default_rng(seed)
    samples = [random.integers(-99, 99, random.integers(100, 30_000)).astype(np.int16) for _ in range(clips)]
    return Recordings(samples, random.integers(0, 3, clips).astype(np.int32))


@given(st.integers(1, 40), st.integers(1, 16), st.integers(1, 4))
def test_every_epoch_is_a_permutation(clips, batch_size, epochs):
    draws = -(-clips * epochs // batch_size)
    drawn = np.concatenate([drawn_clips(clips, batch_size, draw, (0,)) for draw in range(draws)])
    for epoch in range(epochs):
        assert sorted(drawn[epoch * clips : (epoch + 1) * clips]) == list(range(clips))


def test_epochs_and_seeds_differ():
    orders = [tuple(drawn_clips(50, 50, draw, (seed,))) for draw in range(2) for seed in range(2)]
    assert len(set(orders)) == 4


def test_round_robin_takes_every_corpus_in_turn():
    corpora = {"a": recordings(5), "b": recordings(9), "c": recordings(3)}
    names = [name for name, _ in itertools.islice(training_batches(corpora, 4, 16_000, 0, 0), 7)]
    assert names == ["a", "b", "c", "a", "b", "c", "a"]


@pytest.mark.parametrize("weights", [None, np.array([0.2, 0.8])])
@pytest.mark.parametrize("first", [1, 6, 11])
def test_batches_go_on_at_any_step(first, weights):
    corpora = {"a": recordings(5), "b": recordings(9)}
    whole = list(itertools.islice(training_batches(corpora, 4, 16_000, 7, 0, weights), first + 3))[first:]
    resumed = list(itertools.islice(training_batches(corpora, 4, 16_000, 7, first, weights), 3))
    for (name, batch), (again, same) in zip(whole, resumed, strict=True):
        assert name == again
        np.testing.assert_array_equal(batch.audio, same.audio)
        np.testing.assert_array_equal(batch.label, same.label)


def test_prefetch_keeps_the_order_and_places_each():
    assert list(itertools.islice(prefetched(iter(range(9)), lambda item: item * 2), 5)) == [0, 2, 4, 6, 8]


def test_prefetch_ends_with_its_items():
    assert list(prefetched(iter(range(3)), lambda item: item)) == [0, 1, 2]


def test_prefetch_raises_what_went_wrong_in_its_thread():
    def broken():
        yield 1
        raise OSError("disk gone")

    items = prefetched(broken(), lambda item: item)
    assert next(items) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(items)


def test_closing_prefetch_ends_its_thread():
    before = threading.active_count()
    items = prefetched(itertools.count(), lambda item: item)
    next(items)
    items.close()
    for thread in threading.enumerate()[before:]:
        thread.join(timeout=2)
    assert threading.active_count() == before
