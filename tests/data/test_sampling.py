import itertools
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emojax.data.sampling import draw, drawn_clips, draws, prefetched


@given(st.integers(1, 40), st.integers(1, 16), st.integers(1, 4))
def test_every_epoch_is_a_permutation(clips, batch_size, epochs):
    draws = -(-clips * epochs // batch_size)
    drawn = np.concatenate([drawn_clips(clips, batch_size, draw, (0,)) for draw in range(draws)])
    for epoch in range(epochs):
        assert sorted(drawn[epoch * clips : (epoch + 1) * clips]) == list(range(clips))


def test_epochs_and_seeds_differ():
    orders = [tuple(drawn_clips(50, 50, draw, (seed,))) for draw in range(2) for seed in range(2)]
    assert len(set(orders)) == 4


def lengths(*clips):
    return [np.random.default_rng(count).integers(100, 30_000, count) for count in clips]


def test_round_robin_takes_every_corpus_in_turn():
    drawn = itertools.islice(draws(lengths(5, 9, 3), [16_000] * 3, 4, 0, 0), 7)
    assert [one.corpus for one in drawn] == [0, 1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("weights", [None, np.array([0.2, 0.8])])
@pytest.mark.parametrize("first", [1, 6, 11])
def test_draws_go_on_at_any_step(first, weights):
    settings = lengths(5, 9), [16_000, 8_000], 4, 7
    whole = list(itertools.islice(draws(*settings, 0, weights), first + 3))[first:]
    resumed = list(itertools.islice(draws(*settings, first, weights), 3))
    for one, again in zip(whole, resumed, strict=True):
        assert one.corpus == again.corpus
        np.testing.assert_array_equal(one.clips, again.clips)
        np.testing.assert_array_equal(one.starts, again.starts)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=9), st.integers(1, 20), st.integers(0, 9))
def test_a_chunk_is_a_window_of_its_clip_or_all_of_it(own, window, turn):
    own = np.array(own)
    one = draw(own, window, 4, 0, 0, turn)
    left = own[one.clips] - one.starts
    assert (left >= np.minimum(own[one.clips], window)).all()
    assert (one.starts >= 0).all()


def test_chunks_are_anywhere_in_the_clip():
    starts = {int(start) for turn in range(50) for start in draw(np.array([12]), 10, 2, 0, 0, turn).starts}
    assert starts == {0, 1, 2}


def test_prefetch_keeps_the_order():
    assert list(itertools.islice(prefetched(iter(range(9))), 5)) == [0, 1, 2, 3, 4]


def test_prefetch_ends_with_its_items():
    assert list(prefetched(iter(range(3)))) == [0, 1, 2]


def test_prefetch_raises_what_went_wrong_in_its_thread():
    def broken():
        yield 1
        raise OSError("disk gone")

    items = prefetched(broken())
    assert next(items) == 1
    with pytest.raises(OSError, match="disk gone"):
        next(items)


def test_closing_prefetch_ends_its_thread():
    def slow():
        for number in itertools.count():
            time.sleep(0.2)
            yield number

    before = threading.active_count()
    items = prefetched(slow())
    next(items)
    items.close()
    assert threading.active_count() == before
