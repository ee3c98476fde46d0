"""Is one system better than another: tests over clips, over seeds and over corpora."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binom, friedmanchisquare, rankdata
from statsmodels.stats import contingency_tables
from statsmodels.stats.multitest import multipletests


@dataclasses.dataclass(frozen=True)
class McNemar:
    """McNemar's test of two systems on the same clips.

    Attributes:
      only_a: clips that only the first system got right.
      only_b: clips that only the second got right.
      exact_p: two-sided, exact and conditional; conservative.
      mid_p: two-sided mid-p, which is the one to report.
    """

    only_a: int
    only_b: int
    exact_p: float
    mid_p: float


def mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> McNemar:
    """McNemar's test of whether two systems are right equally often.

    Mid-p as in Fagerland, Lydersen & Laake (2013), BMC Medical Research Methodology 13:91.

    Args:
      right_a: bool[N], which clips the first system got right.
      right_b: bool[N], the same clips by the second.

    >>> test = mcnemar(np.array([1, 1, 1, 1, 1, 0]), np.array([0, 0, 0, 0, 1, 1]))
    >>> test.only_a, test.only_b, test.exact_p, test.mid_p
    (4, 1, 0.375, 0.21875)
    """
    a, b = np.asarray(right_a, bool), np.asarray(right_b, bool)
    only_a, only_b = int(np.sum(a & ~b)), int(np.sum(~a & b))
    if only_a == only_b == 0:
        return McNemar(0, 0, 1.0, 1.0)
    exact = contingency_tables.mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue
    point = binom.pmf(only_a, only_a + only_b, 0.5)
    return McNemar(only_a, only_b, float(exact), float(exact - point / (1 + (only_a == only_b))))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p-values adjusted for their number by Holm's step-down method (1979), float64 of the same length.

    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    return multipletests(p_values, method="holm")[1]


def almost_stochastic_order(
    scores_a: Sequence[float], scores_b: Sequence[float], comparisons: int = 1, seed: int = 0
) -> float:
    """The upper bound ε_min of how far system A is from being stochastically better than B, 0..1.

    Below 0.5, A is almost stochastically dominant; 0.2 is the threshold that its authors recommend.
    Dror, Shlomov & Reichart (2019), ACL; Ulmer, Hardmeier & Frellsen (2022), whose `deepsig`
    computes it.

    Args:
      scores_a: of runs of A that differ in their seeds; higher is better.
      scores_b: of runs of B.
      comparisons: how many there are in all, for Bonferroni's correction of the confidence of 95 %.
      seed: of the bootstrap.

    Raises:
      ValueError: fewer than two scores of a system, or one that is no number.
    """
    from deepsig import aso  # imports whatever array libraries are installed

    for scores in (scores_a, scores_b):
        if len(scores) < 2 or not np.isfinite(scores).all():
            raise ValueError(f"scores {list(scores)}; give a finite score each of two runs or more")
    options = {"num_comparisons": comparisons, "seed": seed, "show_progress": False}
    return float(aso(list(scores_a), list(scores_b), **options))


@dataclasses.dataclass(frozen=True, eq=False)
class Ranking:
    """Systems ranked over several corpora.

    Attributes:
      names: of the K systems.
      mean_ranks: float64[K]; the best possible is 1.
      friedman_p: of the systems being all alike.
      nemenyi_p: float64[K, K], of two of them being alike, corrected for the number of pairs.
    """

    names: tuple[str, ...]
    mean_ranks: np.ndarray
    friedman_p: float
    nemenyi_p: np.ndarray


def friedman_nemenyi(scores: np.ndarray, names: Sequence[str]) -> Ranking:
    """Friedman's test over corpora, with Nemenyi's test of each pair: Demšar (2006), JMLR 7.

    Args:
      scores: float[corpora, K], higher is better.
      names: of the K systems.

    Raises:
      ValueError: fewer than two corpora or three systems, equal names, or a score that is no
        number.
    """
    from scikit_posthocs import posthoc_nemenyi_friedman  # imports pyplot

    scores = np.asarray(scores, float)
    corpora, systems = scores.shape if scores.ndim == 2 else (0, 0)
    if corpora < 2 or systems < 3 or not len(set(names)) == len(names) == systems:
        raise ValueError(
            f"scores of shape {scores.shape} for {list(names)}; give two corpora (rows) or more, and three "
            "systems (columns) or more, each with a name of its own"
        )
    if not np.isfinite(scores).all():
        raise ValueError("a score is missing; give a finite score of every system on every corpus")
    return Ranking(
        tuple(names),
        rankdata(-scores, axis=1).mean(axis=0),
        float(friedmanchisquare(*scores.T).pvalue),
        posthoc_nemenyi_friedman(scores).to_numpy(),
    )


def critical_difference_figure(ranking: Ranking, alpha: float = 0.05) -> Figure:
    """Demšar's diagram: mean ranks on a line, and a bar across systems that do not differ.

    Args:
      ranking: of :func:`friedman_nemenyi`.
      alpha: below which two systems differ.
    """
    import pandas as pd
    from scikit_posthocs import critical_difference_diagram

    figure = Figure(figsize=(7, 1 + 0.3 * len(ranking.names)), dpi=120, layout="constrained")
    critical_difference_diagram(
        pd.Series(ranking.mean_ranks, ranking.names),
        pd.DataFrame(ranking.nemenyi_p, ranking.names, ranking.names),
        alpha=alpha,
        ax=figure.subplots(),
        label_props={"parse_math": False},  # a $ in a name is no mathematics
    )
    return figure
