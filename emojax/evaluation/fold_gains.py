"""Gains of a system over a reference: relative, with a paired t-test over the folds of a corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

import numpy as np

SIGNIFICANT_P = 0.05


@dataclasses.dataclass(frozen=True)
class Gain:
    """Gain of a system over a reference on one corpus.

    Attributes:
      relative: mean score over that of the reference, minus 1.
      p: two-sided p-value of the paired t-test over folds; too small where training sets overlap.
    """

    relative: float
    p: float

    @property
    def significant(self) -> bool:
        """True where p is at most 0.05."""
        return self.p <= SIGNIFICANT_P


@dataclasses.dataclass(frozen=True)
class Gains:
    """Gains of a system over a reference on several corpora.

    Attributes:
      corpora: corpus → gain, of the corpora that both have.
      mean: mean relative gain.
      deviation: standard deviation of the relative gains; None of a single corpus.
    """

    corpora: Mapping[str, Gain]
    mean: float
    deviation: float | None


def paired_t_test(scores_a: Sequence[float], scores_b: Sequence[float]) -> float:
    """Return the two-sided p-value of the t-test that two systems have equal means over folds.

    Args:
      scores_a: scores of A, one for each fold.
      scores_b: scores of B on the same folds.

    Raises:
      ValueError: there are fewer than two folds, unequal numbers of them, or a score is missing.

    >>> round(paired_t_test([0.5, 0.6, 0.7], [0.4, 0.4, 0.4]), 4)
    0.0742
    >>> paired_t_test([0.5, 0.6], [0.5, 0.6])
    1.0
    """
    from scipy.stats import ttest_rel  # takes seconds to import

    a, b = np.asarray(scores_a, float), np.asarray(scores_b, float)
    if len(a) != len(b) or len(a) < 2 or not np.isfinite([*a, *b]).all():
        raise ValueError(
            f"scores {a.tolist()} and {b.tolist()}; give a finite score of both systems for each "
            "of two folds or more"
        )
    if np.ptp(a - b) == 0:  # no variance: equal, or different for sure
        return float((a == b).all())
    return float(ttest_rel(a, b).pvalue)


def gains(scores: Mapping[str, Sequence[float]], reference: Mapping[str, Sequence[float]]) -> Gains:
    """Return the gains of a system over a reference.

    Args:
      scores: corpus → scores of the system, above 0, one for each fold.
      reference: corpus → scores of the reference on the same folds.

    Raises:
      ValueError: no corpus is in both, or the scores of one cannot be paired.

    >>> found = gains({"a": [0.6, 0.5], "b": [0.7, 0.9]}, {"a": [0.4, 0.6], "b": [0.8, 0.8]})
    >>> [round(gain.relative, 3) for gain in found.corpora.values()], round(found.mean, 3)
    ([0.1, 0.0], 0.05)
    """
    both = [corpus for corpus in scores if corpus in reference]
    if not both:
        raise ValueError(
            f"no corpus is in both: the system has {', '.join(scores) or 'none'}, the reference "
            f"{', '.join(reference) or 'none'}"
        )
    found = {
        corpus: Gain(
            fmean(scores[corpus]) / fmean(reference[corpus]) - 1,
            paired_t_test(scores[corpus], reference[corpus]),
        )
        for corpus in both
    }
    relative = [gain.relative for gain in found.values()]
    return Gains(found, fmean(relative), stdev(relative) if len(relative) > 1 else None)
