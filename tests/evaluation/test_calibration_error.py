"""The expected calibration error and the likelihood, on answers whose calibration is known."""

import numpy as np
import pytest

from emojax.evaluation.calibration_error import (
    expected_calibration_error,
    negative_log_likelihood,
)


def test_answers_drawn_from_their_probabilities_are_calibrated_and_sharper_ones_are_not():
    random = np.random.default_rng(0)
    own = random.dirichlet(np.ones(3), 20_000)
    truth = (random.random((len(own), 1)) < own.cumsum(axis=1)).argmax(axis=1)
    sharp = own**3 / (own**3).sum(axis=1, keepdims=True)
    assert expected_calibration_error(own, truth) < 0.02
    assert expected_calibration_error(sharp, truth) > 0.1
    assert negative_log_likelihood(own, truth) < negative_log_likelihood(sharp, truth)


def test_bins_are_weighed_by_their_clips():
    # Three of four at 0.95 are right, none of one at 0.55: other bins, gaps 0.2 and 0.55.
    shares = np.array([[0.95, 0.05]] * 4 + [[0.55, 0.45]])
    truth = np.array([0, 0, 0, 1, 1])
    assert expected_calibration_error(shares, truth) == pytest.approx((4 * 0.2 + 0.55) / 5)


def test_a_sure_answer_that_is_wrong_has_a_finite_likelihood():
    assert 80 < negative_log_likelihood(np.array([[1.0, 0.0]]), np.array([1])) < 100
