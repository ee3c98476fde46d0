import numpy as np
import pytest

from emojax.evaluation.fold_gains import gains, paired_t_test

# Cushny & Peebles (1905) as Student (1908) has them: hours of sleep gained by ten patients with two
# drugs; R's t.test(paired = TRUE) gives p = 0.002833.
SLEEP = (
    [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0],
    [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
)
# Table 3 of the paper on transferable features: UAR of TT, and what S1-A1 gained on it.
TABLE_3 = {
    "AFEW": (0.288, 0.121),
    "Emo-DB": (0.614, 0.047),
    "EMOVO": (0.518, -0.095),
    "eNTERFACE": (0.441, 0.032),
    "IEMOCAP": (0.682, 0.004),
    "RML": (0.623, -0.014),
}


def test_the_t_test_is_student_s():
    assert paired_t_test(*SLEEP) == pytest.approx(0.002833, abs=5e-7)


def test_mean_and_deviation_are_those_of_the_paper_s_table():
    folds = np.array([0.9, 1.0, 1.1])
    reference = {name: uar * folds for name, (uar, _) in TABLE_3.items()}
    scores = {name: uar * (1 + gain) * folds for name, (uar, gain) in TABLE_3.items()}
    found = gains(scores, reference)
    assert [gain.relative for gain in found.corpora.values()] == pytest.approx(
        [gain for _, gain in TABLE_3.values()]
    )
    assert (found.mean, found.deviation) == pytest.approx((0.016, 0.072), abs=5e-4)


def test_only_a_gain_that_the_folds_agree_on_is_significant():
    reference = {"a": [0.5] * 5, "b": [0.5] * 5, "elsewhere": [0.5] * 5}
    found = gains({"a": [0.6, 0.61, 0.59, 0.6, 0.62], "b": [0.9, 0.3, 0.7, 0.4, 0.8]}, reference)
    assert {name: gain.significant for name, gain in found.corpora.items()} == {
        "a": True,
        "b": False,
    }


def test_of_a_single_corpus_there_is_no_deviation():
    assert gains({"a": [0.5, 0.6]}, {"a": [0.4, 0.6]}).deviation is None


def test_equal_scores_do_not_differ_and_equal_differences_do():
    assert paired_t_test([0.5, 0.7], [0.5, 0.7]) == 1
    assert paired_t_test([0.75, 0.5], [0.5, 0.25]) == 0


@pytest.mark.parametrize(
    ("a", "b"), [([0.5], [0.5]), ([0.5, 0.6], [0.5, 0.6, 0.7]), ([0.5, np.nan], [0.5, 0.6])]
)
def test_scores_that_cannot_be_paired_are_refused(a, b):
    with pytest.raises(ValueError, match="for each of two folds or more"):
        paired_t_test(a, b)


def test_without_a_common_corpus_there_is_no_gain():
    with pytest.raises(ValueError, match="no corpus is in both: the system has a, the reference b"):
        gains({"a": [0.5, 0.6]}, {"b": [0.5, 0.6]})
