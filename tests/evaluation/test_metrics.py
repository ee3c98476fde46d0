import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score

from emojax.evaluation.metrics import mean_uar_interval, score

LABELS = ("anger", "calm", "fear", "joy")


def noisy(n, right=0.6, speakers=10, seed=0):
    """Truth, prediction and speakers of n clips, of which about ``right`` are predicted well."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, len(LABELS), n)
    prediction = np.where(rng.random(n) < right, truth, rng.integers(0, len(LABELS), n))
    return truth, prediction, [f"s{i}" for i in rng.integers(0, speakers, n)]


def scored(truth, prediction, speakers, **kwargs):
    return score("demo", "a protocol", LABELS, truth, prediction, speakers, **kwargs)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore:y_pred contains classes", "ignore:A single label")
def test_any_predictions_score_as_scikit_learn_and_are_finite(pairs):
    truth, prediction = np.array(pairs).T
    result = scored(truth, prediction, [""] * len(pairs))
    assert result.uar == pytest.approx(balanced_accuracy_score(truth, prediction))
    assert result.war == pytest.approx(np.mean(truth == prediction))
    assert result.chance == pytest.approx(1 / len(set(truth)))
    assert 0 <= result.uar_ci95[0] <= result.uar_ci95[1] <= 1
    assert 0 <= result.macro_f1 <= 1


def test_macro_f1_is_the_mean_over_the_classes_in_the_truth():
    result = scored([0, 0, 1, 1], [0, 1, 1, 2], list("aabb"))
    assert result.macro_f1 == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_rows_of_the_confusion_matrix_are_the_truth():
    result = scored([0, 0, 0, 3], [0, 1, 1, 3], list("aabb"))
    assert result.confusion.tolist() == [[1, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]


@pytest.mark.parametrize("speakers", [4, 10])
def test_the_interval_holds_the_estimate_and_shrinks_with_n(speakers):
    few, many = (scored(*noisy(n, speakers=speakers)) for n in (100, 2000))
    for result in (few, many):
        assert result.uar_ci95[0] < result.uar < result.uar_ci95[1]
    assert np.diff(few.uar_ci95) > 2 * np.diff(many.uar_ci95)


def test_the_interval_over_clips_is_that_of_the_normal_approximation():
    result = scored(*noisy(1000, right=0.5, speakers=1))
    recall = np.diag(result.confusion) / result.confusion.sum(1)
    error = np.sqrt(np.sum(recall * (1 - recall) / result.confusion.sum(1))) / len(LABELS)
    assert result.uar_ci95 == pytest.approx(
        (result.uar - 1.96 * error, result.uar + 1.96 * error), abs=0.005
    )


def test_the_interval_covers_the_true_value_about_95_times_in_100():
    true_uar = 0.6 + 0.4 / len(LABELS)
    results = [scored(*noisy(120, speakers=30, seed=seed)) for seed in range(100)]
    covered = sum(low <= true_uar <= high for low, high in (r.uar_ci95 for r in results))
    assert 88 <= covered <= 99


def test_speakers_who_differ_widen_the_interval():
    truth = np.tile(np.arange(4), 100)
    speakers = np.repeat([f"s{i}" for i in range(10)], 40)
    prediction = np.where(speakers < "s6", truth, (truth + 1) % 4)
    over_speakers = scored(truth, prediction, speakers)
    over_clips = scored(truth, prediction, [""] * 400)
    assert np.diff(over_speakers.uar_ci95) > 3 * np.diff(over_clips.uar_ci95)
    assert over_speakers.uar_ci95_clips == over_clips.uar_ci95_clips == over_clips.uar_ci95


@pytest.mark.parametrize(
    ("names", "over"),
    [("abcd", "clips"), ("abcde", "speakers"), (["a", "b", "c", "d", "e", ""], "clips")],
)
def test_the_bootstrap_is_over_speakers_where_there_are_five(names, over):
    truth, prediction, _ = noisy(60)
    assert scored(truth, prediction, [names[i % len(names)] for i in range(60)]).ci_over == over


def test_the_interval_of_a_mean_is_that_of_its_only_corpus_and_shrinks_with_more():
    random = np.random.default_rng(0)
    truth = np.tile([0, 1], 60)
    prediction = np.where(random.random(120) < 0.7, truth, 1 - truth)
    corpus = truth, prediction, [str(i // 10) for i in range(120)]
    own = score("one", "", ["a", "b"], *corpus).uar_ci95
    assert mean_uar_interval([corpus]) == own
    low, high = mean_uar_interval([corpus] * 4)
    assert own[0] < low < (truth == prediction).mean() < high < own[1]
    assert (high - low) / (own[1] - own[0]) == pytest.approx(1 / 2, rel=0.1)  # independent


def test_a_seed_gives_the_same_interval_again():
    assert scored(*noisy(50), seed=3).uar_ci95 == scored(*noisy(50), seed=3).uar_ci95
    assert scored(*noisy(50), seed=3).uar_ci95 != scored(*noisy(50), seed=4).uar_ci95


def test_one_clip_says_nothing_about_another():
    result = scored([1], [1], ["a"])
    assert (result.uar, result.uar_ci95) == (1, (0, 1))


@pytest.mark.parametrize(("truth", "prediction"), [([], []), ([1], [1, 2])])
def test_no_clips_or_unequal_numbers_are_refused(truth, prediction):
    with pytest.raises(
        ValueError, match=r"corpus demo: \d true labels, \d predictions, 0 speakers"
    ):
        scored(truth, prediction, [])


def test_json_has_the_keys_and_plain_types():
    content = scored(*noisy(50)).to_json()
    assert set(content) == {
        *("protocol", "n", "chance", "uar", "uar_ci95", "uar_ci95_over", "war", "macro_f1"),
        *("uar_ci95_clips", "labels", "confusion", "speakers", "calibration", "by_sex"),
    }
    assert json.loads(json.dumps(content)) == content
    assert np.sum(content["confusion"]) == content["n"] == 50
