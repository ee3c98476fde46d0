"""Statistical tests that compare systems over clips, over seeds and over corpora."""

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
    """Result of McNemar's test of two systems on the same clips.

    Attributes:
      only_a: number of clips that only the first system got right.
      only_b: number of clips that only the second system got right.
      exact_p: two-sided exact conditional p-value; conservative.
      mid_p: two-sided mid-p value, the one to report.
    """

    only_a: int
    only_b: int
    exact_p: float
    mid_p: float


def mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> McNemar:
    """Run McNemar's test that two systems are right equally often.

    Mid-p as in Fagerland, Lydersen & Laake (2013), BMC Medical Research Methodology 13:91.

    Args:
      right_a: bool[N], True for clips that the first system got right.
      right_b: bool[N], the same for the second system.

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
    """Correct p-values for their number by Holm's step-down method (1979); returns float64.

    >>> holm([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    return multipletests(p_values, method="holm")[1]


def almost_stochastic_order(
    scores_a: Sequence[float], scores_b: Sequence[float], comparisons: int = 1, seed: int = 0
) -> float:
    """Return ε_min, an upper bound of A's distance from being stochastically better than B, 0..1.

    Below 0.5, A is almost stochastically dominant; the authors recommend the threshold 0.2.
    Dror, Shlomov & Reichart (2019), ACL; Ulmer, Hardmeier & Frellsen (2022), the authors of
    `deepsig`.

    Args:
      scores_a: scores of A, one for each seed; higher is better.
      scores_b: scores of B.
      comparisons: total number of comparisons, for Bonferroni's correction of the confidence 95 %.
      seed: seed of the bootstrap.

    Raises:
      ValueError: a system has fewer than two scores, or a score is not finite.
    """
    from deepsig import aso  # imports every installed array library

    for scores in (scores_a, scores_b):
        if len(scores) < 2 or not np.isfinite(scores).all():
            raise ValueError(f"scores {list(scores)}; give a finite score each of two runs or more")
    options = {"num_comparisons": comparisons, "seed": seed, "show_progress": False}
    return float(aso(list(scores_a), list(scores_b), **options))


@dataclasses.dataclass(frozen=True, eq=False)
class Ranking:
    """Ranks of systems over several corpora.

    Attributes:
      names: names of the K systems.
      mean_ranks: float64[K]; the best possible rank is 1.
      friedman_p: p-value of Friedman's test that all systems are alike.
      nemenyi_p: float64[K, K], p-values of Nemenyi's test that two systems are alike, corrected
        for the number of pairs.
    """

    names: tuple[str, ...]
    mean_ranks: np.ndarray
    friedman_p: float
    nemenyi_p: np.ndarray


def friedman_nemenyi(scores: np.ndarray, names: Sequence[str]) -> Ranking:
    """Run Friedman's test over corpora and Nemenyi's test of each pair: Demšar (2006), JMLR 7.

    Args:
      scores: float[corpora, K]; higher is better.
      names: names of the K systems.

    Raises:
      ValueError: there are fewer than two corpora or three systems, names are equal, or a score
        is not finite.
    """
    from scikit_posthocs import posthoc_nemenyi_friedman  # imports pyplot

    scores = np.asarray(scores, float)
    corpora, systems = scores.shape if scores.ndim == 2 else (0, 0)
    if corpora < 2 or systems < 3 or not len(set(names)) == len(names) == systems:
        raise ValueError(
            f"scores of shape {scores.shape} for {list(names)}; give two corpora (rows) or more, "
            "and three systems (columns) or more, each with a name of its own"
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
    """Draw Demšar's diagram: mean ranks on a line, and a bar across systems that do not differ.

    Args:
      ranking: result of :func:`friedman_nemenyi`.
      alpha: significance level; two systems differ if their p-value is below it.
    """
    import pandas as pd
    from scikit_posthocs import critical_difference_diagram

    figure = Figure(figsize=(7, 1 + 0.3 * len(ranking.names)), dpi=120, layout="constrained")
    critical_difference_diagram(
        pd.Series(ranking.mean_ranks, ranking.names),
        pd.DataFrame(ranking.nemenyi_p, ranking.names, ranking.names),
        alpha=alpha,
        ax=figure.subplots(),
        label_props={"parse_math": False},  # a $ in a name must not start a formula
    )
    return figure
