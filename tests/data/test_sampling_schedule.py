import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emojax.data.sampling_schedule import check_sampling, corpus_weights, turn_of

SIZES = {"emodb": 400, "casia": 900, "nemo": 2500}


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ("size", [4, 9, 25]),
        ("size^0.5", [2, 3, 5]),
        ("size^0", [1, 1, 1]),
        ("nemo=1,emodb=2,casia=0.5", [2, 0.5, 1]),
    ],
)
def test_weights(sampling, expected):
    np.testing.assert_allclose(corpus_weights(sampling, SIZES), np.array(expected) / sum(expected))


@pytest.mark.parametrize(
    "sampling",
    [
        "",
        "sizes",
        "size^200",
        "emodb=1",
        "emodb=1,casia=1,nemo=0",
        "emodb=1,casia=1,nemo=x",
        "emodb=1,casia=1,nemo=1,emodb=9",
    ],
)
def test_what_is_no_sampling_says_what_is(sampling):
    with pytest.raises(
        ValueError, match=r"round_robin, synchronous, size, .* emodb=1,casia=1,nemo=1"
    ):
        corpus_weights(sampling, SIZES)


@pytest.mark.parametrize("sampling", ["", "sizes", "emodb=0", "roundrobin"])
def test_what_is_a_sampling_of_no_corpora_is_seen_without_them(sampling):
    with pytest.raises(ValueError, match=f"sampling={sampling!r}; choose"):
        check_sampling(sampling)


def test_a_sampling_is_one_of_whichever_corpora():
    for sampling in ("round_robin", "synchronous", "size", "size^0.5", "mine=2,other=1"):
        check_sampling(sampling)


@given(st.integers(0, 3000), st.integers(0, 9))
def test_the_turns_of_a_corpus_count_up(first, seed):
    weights = corpus_weights("size", SIZES)
    steps = [turn_of(step, range(3), weights, seed) for step in range(first)]
    for corpus in range(3):
        own = [turn for drawn, turn in steps if drawn == corpus]
        assert own == list(range(len(own)))


def test_a_corpus_is_drawn_as_often_as_its_weight_says():
    weights = corpus_weights("size", SIZES)
    drawn = [turn_of(step, range(3), weights, 0)[0] for step in range(5000)]
    np.testing.assert_allclose(np.bincount(drawn) / 5000, [4 / 38, 9 / 38, 25 / 38], atol=0.02)


def test_round_robin_has_no_weights():
    assert corpus_weights("round_robin", SIZES) is None
    assert [turn_of(step, range(3), None, 0)[0] for step in range(1, 5)] == [1, 2, 0, 1]
