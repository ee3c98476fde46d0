import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emojax.data import sampling
from emojax.data.sampling import balanced_clips, drawn_clips, sample_clips


@given(st.integers(1, 40), st.integers(1, 16), st.integers(1, 4))
def test_every_epoch_is_a_permutation(clips, batch_size, epochs):
    draws = -(-clips * epochs // batch_size)
    drawn = np.concatenate([drawn_clips(clips, batch_size, draw, (0,)) for draw in range(draws)])
    for epoch in range(epochs):
        assert sorted(drawn[epoch * clips : (epoch + 1) * clips]) == list(range(clips))


def test_epochs_and_seeds_differ():
    orders = [tuple(drawn_clips(50, 50, draw, (seed,))) for draw in range(2) for seed in range(2)]
    assert len(set(orders)) == 4


@given(st.lists(st.integers(1, 30), min_size=1, max_size=9), st.integers(1, 20), st.integers(0, 9))
def test_a_chunk_is_a_window_of_its_clip_or_all_of_it(own, window, turn):
    own = np.array(own)
    one = sample_clips(own, window, 4, 0, 0, turn)
    left = own[one.clips] - one.starts
    assert (left >= np.minimum(own[one.clips], window)).all()
    assert (one.starts >= 0).all()


def test_chunks_are_anywhere_in_the_clip():
    starts = {
        int(start)
        for turn in range(50)
        for start in sample_clips(np.array([12]), 10, 2, 0, 0, turn).starts
    }
    assert starts == {0, 1, 2}


@given(st.integers(0, 9), st.integers(1, 9))
def test_balanced_batches_have_each_label_and_each_of_its_sources_equally_often(seed, batch_size):
    strata = np.array([(0, 0)] * 5 + [(0, 1)] + [(1, 0)] * 3)
    drawn = [balanced_clips(strata, batch_size, turn, (seed,)) for turn in range(60)]
    clips = np.concatenate(drawn)[: 60 * batch_size // 60 * 60]  # 2 labels, 2 sources, 5 clips
    counts = np.bincount(clips, minlength=9)
    assert abs(counts[:6].sum() - counts[6:].sum()) <= 2
    assert abs(counts[:5].sum() - counts[5]) <= 2
    assert np.ptp(counts[:5]) <= 1
    assert np.ptp(counts[6:]) <= 1
    np.testing.assert_array_equal(drawn[7], balanced_clips(strata, batch_size, 7, (seed,)))


def test_the_groups_of_emosets_corpora_are_found_once():
    corpora = [np.stack([np.arange(9) % 3, np.full(9, corpus)], axis=1) for corpus in range(26)]
    sampling._groups.cache_clear()
    for turn in range(2):
        for strata in corpora:
            balanced_clips(strata, 4, turn, (0,))
    assert sampling._groups.cache_info().misses == len(corpora)
