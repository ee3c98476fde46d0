"""Calibration of probabilities: whether 80 of 100 answers with 80 % are right."""

from __future__ import annotations

import dataclasses

import numpy as np

_BINS = 15


@dataclasses.dataclass(frozen=True)
class CalibrationResult:
    """Calibration of the answers for one corpus; ``uncalibrated`` is without the temperature.

    Attributes:
      temperature: temperature T of the answers; 1 if the run is not calibrated.
      ece: expected calibration error, 0..1, see :func:`expected_calibration_error`.
      ece_uncalibrated: the same at T = 1.
      nll: mean negative log likelihood of the true labels, nats.
      nll_uncalibrated: the same at T = 1.
    """

    temperature: float
    ece: float
    ece_uncalibrated: float
    nll: float
    nll_uncalibrated: float


def calibration_result(
    probabilities: np.ndarray, uncalibrated: np.ndarray, truth: np.ndarray, temperature: float
) -> CalibrationResult:
    """Score probabilities ``[N, K]`` with and without calibration; ``truth`` is int ``[N]``."""
    return CalibrationResult(
        temperature,
        expected_calibration_error(probabilities, truth),
        expected_calibration_error(uncalibrated, truth),
        negative_log_likelihood(probabilities, truth),
        negative_log_likelihood(uncalibrated, truth),
    )


def expected_calibration_error(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Compute the sum over bins of n_b / N times |share of right answers − mean confidence|.

    Confidence is the greatest probability of an answer; 15 bins of equal width divide 0 to 1.

    Args:
      probabilities: ``[N, K]``.
      truth: int ``[N]``.

    >>> sure = np.array([[0.9, 0.1]] * 4)
    >>> round(expected_calibration_error(sure, np.array([0, 0, 0, 1])), 3)
    0.15
    """
    confidence = probabilities.max(axis=1)
    gap = (probabilities.argmax(axis=1) == truth) - confidence
    number = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    return float(np.abs(np.bincount(number, weights=gap, minlength=_BINS)).sum() / len(truth))


def negative_log_likelihood(probabilities: np.ndarray, truth: np.ndarray) -> float:
    """Compute the mean of −log p of the true label, nats; p is at least the least float32.

    >>> round(negative_log_likelihood(np.array([[0.5, 0.5]]), np.array([1])), 3)
    0.693
    """
    own = probabilities[np.arange(len(truth)), truth].astype(np.float64)
    return float(-np.log(np.maximum(own, np.finfo(np.float32).tiny)).mean())
