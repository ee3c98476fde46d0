import numpy as np
import pytest
from matplotlib.image import imread

pytest.importorskip("statsmodels", reason='needs statsmodels: pip install "emojax[statistics]"')

from emojax.evaluation.statistics import (
    almost_stochastic_order,
    critical_difference_figure,
    friedman_nemenyi,
    holm,
    mcnemar,
)

# Demšar (2006), JMLR 7:1-30, table 6: AUC of four variants of C4.5 on 14 data sets.  The paper
# ranks the two 0.975 of the last but one row as 2 and 3, from digits that it does not print.
C45 = np.fromstring(
    """
    .763 .768 .771 .798  .599 .591 .590 .569  .954 .971 .968 .967  .628 .661 .654 .657
    .882 .888 .886 .898
    .936 .931 .916 .931  .661 .668 .609 .685  .583 .583 .563 .625  .775 .838 .866 .875  1 1 1 1
    .940 .962 .965 .962  .619 .666 .614 .669  .972 .981 .97501 .975  .957 .978 .946 .970
    """,
    sep=" ",
).reshape(14, 4)
C45_NAMES = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")
# Hollander & Wolfe (1973), p. 140: seconds of 22 players for three ways to round first base; R's
# friedman.test gives p = 0.003805.
ROUNDING = -np.fromstring(
    """
    5.40 5.50 5.55  5.85 5.70 5.75  5.20 5.60 5.50  5.55 5.50 5.40  5.90 5.85 5.70  5.45 5.55 5.60
    5.40 5.40 5.35  5.45 5.50 5.35  5.25 5.15 5.00  5.85 5.80 5.70  5.25 5.20 5.10  5.65 5.55 5.45
    5.60 5.35 5.45  5.05 5.00 4.95  5.50 5.50 5.40  5.45 5.55 5.50  5.55 5.55 5.35  5.45 5.50 5.55
    5.50 5.45 5.25  5.65 5.60 5.40  5.70 5.65 5.55  6.30 6.30 6.25
    """,
    sep=" ",
).reshape(22, 3)


def answers(both, only_a, only_b, neither):
    """Who was right, from the four cells of the table."""
    a, b = [1, 1, 0, 0], [1, 0, 1, 0]
    counts = [both, only_a, only_b, neither]
    return np.repeat(a, counts), np.repeat(b, counts)


@pytest.mark.parametrize(
    ("cells", "exact_p", "mid_p"),
    [((1, 1, 7, 12), 0.070, 0.039), ((59, 6, 16, 80), 0.0525, 0.0347)],
    ids=["Bentur et al. 2009", "Cavo et al. 2012"],
)
def test_mcnemar_is_that_of_fagerland_lydersen_and_laake(cells, exact_p, mid_p):
    """BMC Medical Research Methodology 13:91 (2013), tables 1, 2 and 5."""
    test = mcnemar(*answers(*cells))
    assert (test.only_a, test.only_b) == cells[1:3]
    assert test.exact_p == pytest.approx(exact_p, abs=0.0005)
    assert test.mid_p == pytest.approx(mid_p, abs=0.0005)


def test_mcnemar_is_symmetric_and_equal_systems_do_not_differ():
    a, b = answers(5, 9, 2, 5)
    assert mcnemar(a, b).mid_p == mcnemar(b, a).mid_p
    assert mcnemar(a, a).mid_p == mcnemar(a, a).exact_p == 1
    # The paper's supplement: 1 - half the probability of the observed, where both are right equally
    # often.
    assert mcnemar(*answers(0, 2, 2, 0)).mid_p == pytest.approx(1 - 0.5 * 6 / 16)


def test_holm_rejects_as_in_benjamini_and_hochberg():
    """JRSS B 57:289-300 (1995), 4.1: stepping down rejects three of these fifteen at 0.05."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    adjusted = holm(p)
    assert (adjusted <= 0.05).sum() == 3
    assert adjusted[:3] == pytest.approx([15 * 0.0001, 14 * 0.0004, 13 * 0.0019])


def test_almost_stochastic_order_is_that_of_its_authors():
    """The example of deep-significance's documentation: seed 1234, five runs, ε_min = 0.225."""
    pytest.importorskip("deepsig")
    rng = np.random.RandomState(1234)
    ours, baseline = rng.normal(0.9, 0.8, 5), rng.normal(0, 1, 5)
    assert almost_stochastic_order(ours, baseline, seed=1234) == pytest.approx(0.225, abs=0.0005)
    assert almost_stochastic_order(baseline, ours, comparisons=10, seed=1234) > 0.5


@pytest.mark.parametrize("scores", [[0.5], [0.5, float("nan")]])
def test_almost_stochastic_order_needs_runs(scores):
    pytest.importorskip("deepsig")
    with pytest.raises(ValueError, match="two runs or more"):
        almost_stochastic_order([0.1, 0.2], scores)


def test_ranks_and_pairs_are_demsar_s():
    """Section 3.2.2: mean ranks; at 0.10 C4.5 is worse than +m and +m+cf, at 0.05 no two differ."""
    pytest.importorskip("scikit_posthocs")
    ranking = friedman_nemenyi(C45, C45_NAMES)
    assert ranking.mean_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=0.0005)
    pairs = np.argwhere(np.triu(ranking.nemenyi_p < 0.10))
    assert pairs.tolist() == [[0, 1], [0, 3]]
    assert (ranking.nemenyi_p >= 0.05).all()


def test_friedman_is_hollander_and_wolfe_s():
    pytest.importorskip("scikit_posthocs")
    ranking = friedman_nemenyi(ROUNDING, ["round out", "narrow", "wide"])
    assert ranking.friedman_p == pytest.approx(0.003805, abs=5e-7)
    assert ranking.mean_ranks.argmin() == 2


def test_the_diagram_is_drawn_and_names_are_no_mathematics(tmp_path):
    pytest.importorskip("scikit_posthocs")
    ranking = friedman_nemenyi(C45, ["$\\frac$", *C45_NAMES[1:]])
    critical_difference_figure(ranking, alpha=0.1).savefig(tmp_path / "ranks.png")
    assert imread(tmp_path / "ranks.png").std() > 0.1


@pytest.mark.parametrize(
    ("scores", "names", "message"),
    [
        (C45[:, :2], C45_NAMES[:2], "three systems"),
        (C45[:1], C45_NAMES, "two corpora"),
        (C45, ["a", "a", "b", "c"], "name of its own"),
        (np.where(C45 == 1, np.nan, C45), C45_NAMES, "missing"),
        (C45[0], C45_NAMES, "shape"),
    ],
)
def test_what_cannot_be_ranked_says_why(scores, names, message):
    pytest.importorskip("scikit_posthocs")
    with pytest.raises(ValueError, match=message):
        friedman_nemenyi(scores, names)
