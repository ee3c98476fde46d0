"""Concordance correlation coefficient of true and predicted numbers, for NumPy and for JAX."""

from __future__ import annotations

from typing import Any


def concordance(truth: Any, predicted: Any, weight: Any, floor: float = 0.0) -> Any:
    """Return the concordance correlation coefficient (CCC) of each column, ``[D]``.

    2 · cov / (var + var + (difference of means)²), with moments divided by N: Lin (1989),
    Biometrics 45:255, equation 1. It is 1 only where all numbers are equal.

    Args:
      truth: float ``[N, D]``, true numbers.
      predicted: float ``[N, D]``, predicted numbers.
      weight: float ``[N, 1]``, 0 for rows that do not count.
      floor: added to the denominator, so that constant numbers have a finite gradient.

    >>> import numpy as np
    >>> truth = np.array([[1.0], [2.0], [3.0]])
    >>> concordance(truth, truth + 1, np.ones((3, 1))).round(3).tolist()
    [0.571]
    """
    total = weight.sum(0)
    mean_truth = (weight * truth).sum(0) / total
    mean_predicted = (weight * predicted).sum(0) / total
    off_truth, off_predicted = truth - mean_truth, predicted - mean_predicted
    covariance = (weight * off_truth * off_predicted).sum(0) / total
    variances = (weight * (off_truth**2 + off_predicted**2)).sum(0) / total
    return 2 * covariance / (variances + (mean_truth - mean_predicted) ** 2 + floor)
