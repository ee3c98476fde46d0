"""Aggregated corpora: every level as often as the rarest, in every part of every corpus."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emojax.corpora.aggregate import CHOICES, aggregate, are_domains
from emojax.corpora.partitions import Partition
from emojax.corpora.spec import Clip

LABELS = ("anger", "sad", "happy", "neutral", "surprise")
PARTS = ("train", "devel", "test")


def corpus_of(labels, part):
    clips = [Clip(f"{i}.wav", label, "", "", 1.0, "", str(i)) for i, label in enumerate(labels)]
    return clips, Partition(
        "", {name: np.flatnonzero(np.array(part) == i) for i, name in enumerate(PARTS)}
    )


@st.composite
def corpora(draw):
    """One to three corpora with both levels of arousal and all of valence."""
    rows = st.lists(st.tuples(st.sampled_from(LABELS), st.integers(0, 2)), max_size=40)
    drawn = {name: draw(rows) for name in "abc"[: draw(st.integers(1, 3))]}
    return {
        name: corpus_of(*zip(*[*some, *((label, 0) for label in LABELS)], strict=True))
        for name, some in drawn.items()
    }


@given(corpora(), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_levels_are_as_frequent_as_the_rarest(some, seed):
    domains = aggregate("a+v", some, seed)
    assert list(domains) == ["arousal", "valence"]
    for domain in domains.values():
        for name, (_, partition) in some.items():
            for part, whole in partition.parts.items():
                chosen, label = domain.parts[name][part], domain.label[name]
                assert np.isin(chosen, whole).all()
                assert (np.diff(chosen) > 0).all()
                available = Counter(label[whole])
                fewest = min(available[k] for k in range(len(domain.labels)))
                assert Counter(label[chosen]) == Counter(
                    dict.fromkeys(range(len(domain.labels)), fewest)
                )


@given(corpora(), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_a_corpus_is_chosen_from_alike_whatever_stands_beside_it(some, seed):
    together = aggregate("arousal", some, seed)["arousal"]
    for name, one in some.items():
        alone = aggregate("arousal", {name: one}, seed)["arousal"]
        for part in PARTS:
            np.testing.assert_array_equal(alone.parts[name][part], together.parts[name][part])


def test_the_seed_chooses():
    some = {"a": corpus_of(["anger"] * 50 + ["sad"] * 5, [0] * 55)}
    chosen = {
        tuple(aggregate("arousal", some, seed)["arousal"].parts["a"]["train"]) for seed in range(5)
    }
    assert len(chosen) == 5


def test_levels_that_a_corpus_never_has_are_not_asked_of_it():
    """Anger Detection has no positive clip; its negative and neutral ones are balanced."""
    some = {"ad": corpus_of(["anger", "anger", "neutral"], [0, 0, 0])}
    domain = aggregate("valence", some)["valence"]
    assert sorted(domain.label["ad"][domain.parts["ad"]["train"]]) == [0, 1]
    assert domain.labels == ("negative", "neutral", "positive")


def test_a_corpus_with_a_single_level_is_left_out_of_that_dimension():
    some = {"a": corpus_of(["anger", "sad"], [0, 0]), "b": corpus_of(["anger", "happy"], [0, 0])}
    domains = aggregate("a+v", some)
    assert list(domains["arousal"].parts) == list(domains["arousal"].label) == ["a"]
    assert list(domains["valence"].parts) == list(domains["valence"].label) == ["b"]


@pytest.mark.parametrize(
    ("name", "labels", "message"),
    [
        ("dominance", LABELS, "'dominance' of a; give one of arousal, valence, a\\+v"),
        ("arousal", ("anger", "calm"), "corpus a: label 'calm' has no arousal"),
        ("valence", ("anger", "sad"), "each of a has a single level of valence"),
    ],
)
def test_what_cannot_be_aggregated_is_refused(name, labels, message):
    with pytest.raises(ValueError, match=message):
        aggregate(name, {"a": corpus_of(labels, [0] * len(labels))})


def test_no_corpora_are_refused():
    with pytest.raises(ValueError, match="no corpora"):
        aggregate("arousal", {})


def test_each_corpus_has_its_own_mapping():
    some = {"a": corpus_of(["calm", "anger"], [0, 0]), "b": corpus_of(["calm", "sad"], [0, 0])}
    domain = aggregate("arousal", some, mappings={"a": {"calm": "rest"}, "b": {"calm": "joy"}})[
        "arousal"
    ]
    assert domain.label["a"].tolist() == [0, 1]
    assert domain.label["b"].tolist() == [1, 0]


def test_only_the_chosen_emotions_are_labels_and_clips_of_others_are_in_no_part():
    some = {
        "a": corpus_of(["anger", "calm", "fearful", "joy"], [0, 0, 0, 1]),
        "b": corpus_of(["neutral", "boredom"], [0, 0]),
    }
    chosen = aggregate("emotion", some, emotions=("happiness", "fear", "anger"))["emotion"]
    assert chosen.labels == ("anger", "fear", "happiness")
    assert chosen.label["a"].tolist() == [0, -1, 1, 2]
    assert list(chosen.parts) == ["a"]
    assert chosen.parts["a"]["train"].tolist() == [0, 2]
    every = aggregate("emotion", some)["emotion"]
    assert every.labels == ("anger", "boredom", "calm", "fear", "happiness", "neutral")


def test_fewer_than_two_of_the_chosen_emotions_are_refused():
    with pytest.raises(ValueError, match="have 1 of the common emotions anger, disgust; give"):
        aggregate(
            "emotion", {"a": corpus_of(["anger", "fear"], [0, 0])}, emotions=["anger", "disgust"]
        )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "emotion:",
        "emotion:anger",
        "emotion:anger,anger",
        "emotion:anger,rage",
        "emotion:anger,fear,",
        "a+v:anger,fear",
        "corpora:anger,fear",
        "corpora+corpora",
    ],
)
def test_texts_that_name_no_domains(text):
    assert not are_domains(text)


@pytest.mark.parametrize("text", [*CHOICES, "emotion:fear,calm", "corpora+emotion:anger,fear"])
def test_texts_that_name_domains(text):
    assert are_domains(text)
