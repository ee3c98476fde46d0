import numpy as np
import pytest
from scipy.stats import pearsonr

from emojax.concordance import concordance
from emojax.evaluation.number_scores import score_numbers


def numbers(seed=0, clips=120):
    random = np.random.default_rng(seed)
    truth = random.normal([1000, 3], [1, 0.5], (clips, 2))
    return truth, truth + random.normal([1, 0], [1, 2], (clips, 2))


def test_scores_are_those_of_their_definitions_far_from_zero_too():
    truth, predicted = numbers()
    result = score_numbers("calls", "p", ["x", "y"], truth, predicted, ["a", "b", "c"] * 40)
    ccc = concordance(truth, predicted, np.ones((120, 1)))
    for place, own in enumerate(result.columns):
        t, p = truth[:, place], predicted[:, place]
        assert own.ccc == pytest.approx(ccc[place])
        assert own.pearson == pytest.approx(pearsonr(t, p)[0])
        assert own.rmse == pytest.approx(np.sqrt(((t - p) ** 2).mean()))
        for value, (low, high) in (
            (own.ccc, own.ccc_ci95),
            (own.pearson, own.pearson_ci95),
            (own.rmse, own.rmse_ci95),
        ):
            assert low < value < high
    assert result.mean_ccc == pytest.approx(ccc.mean())
    assert (result.ci_over, result.speakers, result.title) == ("clips", 3, "calls†")
    assert set(result.to_json()["columns"]) == {"x", "y"}


def test_speakers_who_differ_widen_the_interval():
    truth, predicted = numbers()
    speakers = [str(clip % 6) for clip in range(120)]
    predicted = predicted + np.array([3 * (clip % 6) for clip in range(120)])[:, None]
    over_speakers = score_numbers("c", "p", ["x", "y"], truth, predicted, speakers)
    over_clips = score_numbers("c", "p", ["x", "y"], truth, predicted, [""] * 120)
    assert (over_speakers.ci_over, over_clips.ci_over) == ("speakers", "clips")

    def width(result):
        low, high = result.columns[0].rmse_ci95
        return high - low

    assert width(over_speakers) > 1.5 * width(over_clips)


def test_constant_predictions_have_no_concordance():
    truth, _ = numbers()
    result = score_numbers("c", "p", ["x", "y"], truth, np.ones_like(truth), [""] * 120)
    for own in result.columns:
        assert (own.ccc, own.pearson) == pytest.approx((0, 0), abs=1e-6)


def test_resamples_of_one_clip_stay_within_the_scale():
    truth = np.array([[2.8], [6.6], [4.5]])  # three of one have a variance of rounding only
    (own,) = score_numbers("c", "p", ["x"], truth, truth, [""] * 3).columns
    assert (own.ccc_ci95, own.pearson_ci95) == ((0, 1), (0, 1))


def test_what_cannot_be_scored_is_refused():
    truth, predicted = numbers()
    for t, p in ((truth[:1], predicted[:1]), (truth, predicted[:-1]), (truth, predicted * np.nan)):
        with pytest.raises(ValueError, match="finite numbers for each clip"):
            score_numbers("c", "p", ["x", "y"], t, p, [""] * len(t))
