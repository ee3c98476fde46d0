"""Arousal and valence follow from the labels' probabilities."""

import copy

import pytest

from emojax.inference.answer import Answer


def test_arousal_is_a_probability_and_valence_an_expected_value():
    answer = Answer({"angry": 0.5, "happy": 0.25, "sad": 0.125, "neutral": 0.125})
    assert answer.arousal == pytest.approx(0.75)
    assert answer.valence == pytest.approx(0.25 - 0.5 - 0.125)


def test_an_unknown_label_leaves_both_open():
    answer = Answer({"angry": 0.5, "blue": 0.5})
    assert answer.arousal is None
    assert answer.valence is None


def test_a_copy_keeps_the_warning():
    answer = Answer([("angry", 1.0)], "too short")
    for again in (copy.copy(answer), copy.deepcopy(answer)):
        assert again == answer == {"angry": 1.0}
        assert again.warning == "too short"
