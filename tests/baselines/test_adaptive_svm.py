"""The adaptive SVM has known optima, and is scikit-learn's where the source says nothing."""

import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC

from emojax.baselines.adaptive_svm import AdaptiveSVC

pytest.importorskip("osqp", reason='needs OSQP: pip install "emojax[adaptive_svm]"')


@pytest.fixture
def target():
    """Sixty clips of three labels, of which the features say something."""
    rng = np.random.default_rng(0)
    y = np.array(["anger", "fear", "joy"])[np.arange(60) % 3]
    return rng.normal(size=(60, 5)) + 1.5 * np.eye(5)[np.arange(60) % 3], y


def source_of(X, y):
    return SVC(decision_function_shape="ovo").fit(X, y)


def plain(C):
    return SVC(C=C, gamma="auto", decision_function_shape="ovo", tol=1e-6)


@pytest.mark.parametrize("C", [0.1, 1, 10])
@pytest.mark.parametrize("labels", [("anger", "fear", "joy"), ("anger", "fear")])
def test_without_a_source_it_is_scikit_learn_s(target, C, labels):
    X, y = target
    some = np.isin(y, labels)
    own, theirs = AdaptiveSVC(C=C).fit(X[some], y[some]), plain(C).fit(X[some], y[some])
    np.testing.assert_allclose(own.decision_function(X), theirs.decision_function(X), atol=1e-4)
    np.testing.assert_array_equal(own.predict(X), theirs.predict(X))


def test_a_source_that_knows_none_of_the_pairs_says_nothing(target):
    X, y = target
    source = source_of(X, np.where(y == "joy", "joy", "calm"))
    own = AdaptiveSVC(source).fit(X, y)
    np.testing.assert_allclose(
        own.decision_function(X), plain(1.0).fit(X, y).decision_function(X), atol=1e-4
    )


@pytest.mark.parametrize("C", [100.0, 0.25])
def test_two_clips_have_the_optimum_of_the_closed_form(C):
    """With a = β₁ = −β₂ the dual is a² (1 − K₁₂) − a (2 − s₁ + s₂)."""
    X, y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([0, 1])
    rng = np.random.default_rng(1)
    source = source_of(rng.normal(size=(30, 2)), rng.integers(0, 2, 30))
    first, second = -source.decision_function(X)
    assert 0 < abs(first - second) < 2
    a = min((2 - first + second) / (2 * (1 - rbf_kernel(X)[0, 1])), C)
    own = AdaptiveSVC(source, C=C).fit(X, y)
    np.testing.assert_allclose(own.dual_coef_, [[a, -a]], atol=1e-5)
    if a < C:
        np.testing.assert_allclose(own.decision_function(X), [-1, 1], atol=1e-5)


def test_the_correction_fulfils_the_conditions_of_an_optimum(target):
    """Clips within the bounds lie on the margin, those at 0 beyond it, those at C within it."""
    X, y = target
    X, y = X[y != "joy"], y[y != "joy"]
    rng = np.random.default_rng(2)
    source = source_of(X + rng.normal(size=X.shape), y)
    own = AdaptiveSVC(source, C=0.5).fit(X, y)
    sign = np.where(y == "fear", 1, -1)
    dual, margin = -sign * own.dual_coef_[0], sign * own.decision_function(X)
    assert dual.sum() > 1
    assert abs((sign * dual).sum()) < 1e-4
    for here, gap in (
        (dual < 1e-4, np.minimum(margin - 1, 0)),
        (dual > 0.5 - 1e-4, np.maximum(margin - 1, 0)),
        ((dual > 1e-3) & (dual < 0.499), margin - 1),
    ):
        assert here.any()
        np.testing.assert_allclose(gap[here], 0, atol=1e-3)


def test_a_source_that_is_right_by_a_margin_is_not_corrected(target):
    X, y = target
    X = X + 20 * np.eye(5)[np.unique(y, return_inverse=True)[1]]
    source = SVC(C=100, gamma=0.01, decision_function_shape="ovo").fit(X, y)
    distant = X[np.abs(source.decision_function(X)).max(axis=1) > 1.01]
    assert len(distant) > 0
    own = AdaptiveSVC(source, C=1e-6).fit(X, y)
    np.testing.assert_allclose(own.dual_coef_, 0, atol=1e-5)
    np.testing.assert_array_equal(own.predict(X), source.predict(X))


def test_a_clone_keeps_the_source_and_is_not_fitted(target):
    source = source_of(*target)
    copy = clone(AdaptiveSVC(source, C=3.0).fit(*target))
    assert copy.source is source
    assert copy.C == 3.0
    assert not hasattr(copy, "dual_coef_")


@pytest.mark.parametrize(
    ("source", "C", "count", "message"),
    [
        (SVC(), 1, 60, 'give a fitted .*decision_function_shape="ovo"'),
        (SVC(decision_function_shape="ovo"), 1, 60, "not fitted"),
        (None, 0, 60, "C=0; give clips of two labels or more, and a C above 0"),
        (None, 1, 1, "1 labels"),
    ],
)
def test_what_cannot_be_learnt_says_why(target, source, C, count, message):
    X, y = target
    with pytest.raises(ValueError, match=message):
        AdaptiveSVC(source, C=C).fit(X[:count], y[:count])


def test_without_the_solver_the_error_says_how_to_get_it(target, monkeypatch):
    monkeypatch.setitem(sys.modules, "osqp", None)
    with pytest.raises(ValueError, match=r'pip install "emojax\[adaptive_svm\]"'):
        AdaptiveSVC().fit(*target)
