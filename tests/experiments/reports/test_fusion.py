import pytest

from emojax.evaluation.score_files import Prediction
from emojax.experiments.reports.fusion import fuse, fused_settings


def rows(prediction, **probabilities):
    """A system's answer for one clip."""
    return {"1.wav": Prediction("demo", "1.wav", "s", "a", prediction, probabilities)}


def test_parts_weigh_alike_and_the_surer_one_wins():
    unsure, sure = rows("a", a=0.5, b=0.4, c=0.1), rows("b", a=0.1, b=0.8, c=0.1)
    (row,) = fuse({"one": unsure, "two": sure}, "abc").values()
    assert (row.prediction, row.label, row.speaker) == ("b", "a", "s")
    assert fuse({"one": sure, "two": unsure}, "abc")["1.wav"].prediction == "b"


def test_a_label_that_neither_finds_likely_can_be_the_best_of_both():
    one, two = rows("a", a=0.6, b=0.4, c=0.0), rows("c", a=0.0, b=0.4, c=0.6)
    assert fuse({"one": one, "two": two}, "abc")["1.wav"].prediction == "b"


def test_two_zeros_are_worse_than_one():
    one, two = rows("a", a=1.0, b=0.0, c=0.0), rows("b", a=0.0, b=1.0, c=0.0)
    assert fuse({"one": one, "two": two}, "cab")["1.wav"].prediction in "ab"


@pytest.mark.parametrize(
    "probabilities",
    [{}, {"a": 0.5}, {"a": "1", "b": 0}, {"a": float("nan"), "b": 0.5}, {"a": 2, "b": -1}],
)
def test_predictions_without_probabilities_are_refused_in_one_line(probabilities):
    old = rows("a", **probabilities)
    with pytest.raises(ValueError, match=r"compare: 1\.wav of corpus demo has no prob.*score it"):
        fuse({"shared": rows("a", a=0.9, b=0.1), "compare": old}, "ab")


def test_a_file_whose_probabilities_are_no_object_is_refused():
    with pytest.raises(ValueError, match="cannot be fused"):
        fuse({"x": {"1.wav": Prediction("demo", "1.wav", "", "a", "a", [0.5, 0.5])}}, "ab")


def test_fused_settings_are_those_with_a_plus_that_have_no_runs():
    assert fused_settings(["a", "a+b+c"], ["a", "b", "c"]) == {"a+b+c": ["a", "b", "c"]}
    assert fused_settings(["a+v"], ["a+v"]) == {}
    with pytest.raises(ValueError, match=r"--settings=a\+d fuses 'd', .* there are: a, b"):
        fused_settings(["a", "b", "a+d"], ["a", "b"])
