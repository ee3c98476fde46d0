"""Every label of the catalogue is in the vocabulary, or known to be missing in Table 2."""

import re
from collections import Counter
from pathlib import Path

import pytest

from emojax.corpora.affect import (
    LEVELS,
    VOCABULARY,
    check_corpora,
    level,
    of_corpus,
    parse_mapping,
    unknown,
    word,
)
from emojax.corpora.catalogue import CATALOGUE

ROOT = Path(__file__).parents[2]
# Labels that Table 2 does not name and that mean nothing it names.
NOT_IN_TABLE_2 = {
    "abc": {"tired"},
    "baved": {"high", "low", "normal"},
    "gveess": {"cold anger"},
    "ravdess": {"calm"},
    "smartkom": {"unidentifiable"},
}


def test_table_2_has_47_words():
    cells = Counter((level("arousal", label), level("valence", label)) for label in VOCABULARY)
    assert cells == {
        ("low", "negative"): 13,
        ("low", "neutral"): 6,
        ("low", "positive"): 5,
        ("high", "negative"): 8,
        ("high", "neutral"): 6,
        ("high", "positive"): 9,
    }


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_labels_of_the_catalogue(name):
    known = set(CATALOGUE[name].labels) - NOT_IN_TABLE_2.get(name, set())
    words = [word(label) for label in known]
    assert len(set(words)) == len(words)
    for label in NOT_IN_TABLE_2.get(name, ()):
        with pytest.raises(ValueError, match=f"label '{label}' has no arousal"):
            word(label)


def test_a_label_without_a_word_has_no_level():
    assert unknown(["", "_"]) == ["", "_"]
    with pytest.raises(ValueError, match="to a known word"):
        parse_mapping("calm=")


def test_every_word_of_table_2_is_a_label_of_emoset():
    """So labels of corpora that are not available here agree with the paper."""
    used = {
        word(label, dict.fromkeys(NOT_IN_TABLE_2.get(name, ()), "neutral"))
        for name, spec in CATALOGUE.items()
        if spec.table_1
        for label in spec.labels
    }
    assert used == set(VOCABULARY)


def test_the_words_of_the_guide_are_those_that_emoset_needs():
    page = (ROOT / "docs" / "guide" / "own_data.md").read_text(encoding="utf-8")
    (text,) = re.findall('"--config.label_words=([^"]*)"', page)
    labels = {label for spec in CATALOGUE.values() if spec.table_1 for label in spec.labels}
    assert sorted(parse_mapping(text)) == unknown(labels)
    assert not unknown(labels, parse_mapping(text))


@pytest.mark.parametrize("written", ["high-stress", "High Stress", "HIGH_STRESS", " high stress "])
def test_spelling_makes_no_difference(written):
    assert word(written) == "high-stress"


def test_a_mapping_comes_first_and_must_lead_into_the_vocabulary():
    assert level("arousal", "surprise", {"surprise": "relief"}) == "low"
    with pytest.raises(
        ValueError, match=r"label 'serene' has no .* one of contempt, .*positive, as in {'calm'"
    ):
        level("valence", "calm", {"calm": "serene"})


@pytest.mark.parametrize(
    "text", ["calm", "calm=serene", "=rest", "calm=rest,calm=boredom", "calm=rest,tired"]
)
def test_a_written_mapping_that_is_none(text):
    with pytest.raises(
        ValueError, match=r"write label=word with commas between.*out of contempt, .*positive"
    ):
        parse_mapping(text)


def test_a_corpus_may_mean_something_of_its_own():
    mapping = parse_mapping("high=anger,diary/high=happiness,diary/low=rest")
    assert level("valence", "high", of_corpus(mapping, "diary")) == "positive"
    assert level("valence", "high", of_corpus(mapping, "calls")) == "negative"
    assert unknown(["low"], of_corpus(mapping, "calls")) == ["low"]
    assert not unknown(["low"], of_corpus(mapping, "diary"))


def test_words_for_a_corpus_that_is_not_there_are_refused_and_a_slash_in_a_label_is_none():
    labels = {"diary": ["high", "happy/excited"], "calls": ["low"]}
    check_corpora(parse_mapping("diary/high=anger,happy/excited=happiness,calm=rest"), labels)
    with pytest.raises(
        ValueError, match=r"words for dairy, which is none of the corpora diary, calls;"
    ):
        check_corpora(parse_mapping("dairy/high=anger"), labels)


@pytest.mark.parametrize("dimension", LEVELS)
def test_levels_are_those_of_the_dimension(dimension):
    assert {level(dimension, label) for label in VOCABULARY} == set(LEVELS[dimension])
