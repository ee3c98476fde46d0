"""Adaptive SVM: the decision of a source SVM plus a correction that is learnt on the target.

Yang, Yan and Hauptmann (2007), ACM Multimedia, "Cross-domain video concept detection using adaptive
SVMs"; for emotions Abdelwahab and Busso (2015), ICASSP.
"""

from __future__ import annotations

import itertools
from types import ModuleType

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC
from sklearn.utils.validation import check_is_fitted, validate_data

_PRECISION = 1e-6
_MOST_ITERATIONS = 20_000
_AT_BOUND = 1e-4  # of a dual variable, as a share of C


class AdaptiveSVC(ClassifierMixin, BaseEstimator):
    """SVM with an RBF kernel, one-against-one, that corrects the decisions of a source SVM.

    Of two labels, with y = ±1, it minimises ½‖w‖² + C Σ max(0, 1 − y (s(x) + w·φ(x) + b)), where s
    is the source's decision. Where the source does not know both labels, s is 0, and what is learnt
    is ``SVC``.

    Attributes:
      source: fitted ``SVC`` with ``decision_function_shape="ovo"``, or None; a clone keeps it.
      C: weight of the target's clips; with a small one the source decides.
      gamma: coefficient of the kernel of the correction; 1 / D if None.
      classes_: the K labels of the target.
      dual_coef_: float64 ``[pairs, N]``, y times the dual variable of each clip, or 0.
      intercept_: float64 ``[pairs]``, b of each pair of labels.

    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), ["calm", "calm", "joy", "joy"]
    >>> AdaptiveSVC(SVC(decision_function_shape="ovo").fit(X, y)).fit(X, y).predict([[0.5], [2.5]])
    array(['calm', 'joy'], dtype='<U4')
    """

    def __init__(
        self, source: SVC | None = None, *, C: float = 1.0, gamma: float | None = None
    ) -> None:
        self.source, self.C, self.gamma = source, C, gamma

    def __sklearn_clone__(self) -> AdaptiveSVC:
        return AdaptiveSVC(**self.get_params(deep=False))

    def fit(self, X: np.ndarray, y: np.ndarray) -> AdaptiveSVC:
        """Learn the correction.

        Args:
          X: float ``[N, D]``, in the scale that the source learnt from.
          y: ``[N]``, labels.

        Raises:
          ValueError: there are fewer than two labels, C is not above 0, the source is not as above
            or has other features, the extra ``adaptive_svm`` is not installed, or the solver fails.
        """
        X, y = validate_data(self, X, y)
        self.classes_ = np.unique(y)
        if len(self.classes_) < 2 or not self.C > 0:
            raise ValueError(
                f"{len(self.classes_)} labels and C={self.C}; give clips of two labels or more, "
                "and a C above 0"
            )
        self.X_fit_ = X
        kernel, source = rbf_kernel(X, gamma=self.gamma), self._source_decisions(X)
        self.dual_coef_ = np.zeros((source.shape[1], len(X)))
        self.intercept_ = np.zeros(source.shape[1])
        for number, (first, second) in enumerate(self._pairs()):
            rows = np.flatnonzero((y == first) | (y == second))
            sign = np.where(y[rows] == first, 1.0, -1.0)
            own = kernel[np.ix_(rows, rows)]
            found = _correction(own, sign, source[rows, number], self.C)
            self.dual_coef_[number, rows], self.intercept_[number] = found
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """Return the decisions as ``SVC`` with ``decision_function_shape="ovo"`` does.

        Returns:
          float64 ``[N, K (K - 1) / 2]``, above 0 for the first label of a pair; of two labels
          float64 ``[N]``, above 0 for the second.
        """
        values = self._decisions(X)
        return values if len(self.classes_) > 2 else -values.ravel()

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the label with the most votes of pairs; of several, the first, as ``SVC`` does."""
        values = self._decisions(X)
        votes = np.zeros((len(values), len(self.classes_)), int)
        for column, (i, j) in enumerate(itertools.combinations(range(len(self.classes_)), 2)):
            votes[np.arange(len(values)), np.where(values[:, column] > 0, i, j)] += 1
        return self.classes_[votes.argmax(axis=1)]

    def _decisions(self, X: np.ndarray) -> np.ndarray:
        """Return the decision of each pair of labels, above 0 for the first, float64 [N, pairs]."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        correction = rbf_kernel(X, self.X_fit_, gamma=self.gamma) @ self.dual_coef_.T
        return self._source_decisions(X) + correction + self.intercept_

    def _pairs(self) -> list[tuple]:
        return list(itertools.combinations(self.classes_, 2))

    def _source_decisions(self, X: np.ndarray) -> np.ndarray:
        """Return the source's decision of each pair of labels, float64 [N, pairs]."""
        known = {} if self.source is None else _pair_decisions(self.source, X)
        nothing = np.zeros(len(X))
        return np.stack([known.get(pair, nothing) for pair in self._pairs()], axis=1)


def _pair_decisions(source: SVC, X: np.ndarray) -> dict[tuple, np.ndarray]:
    """Return the decisions of an SVM by pair of labels, above 0 for the first."""
    if getattr(source, "decision_function_shape", "") != "ovo":
        raise ValueError(
            f'source={source!r}; give a fitted sklearn.svm.SVC(decision_function_shape="ovo")'
        )
    check_is_fitted(source)
    values = source.decision_function(X)
    if values.ndim == 1:
        values = -values[:, None]
    return dict(zip(itertools.combinations(source.classes_, 2), values.T, strict=True))


def _correction(
    kernel: np.ndarray, sign: np.ndarray, source: np.ndarray, C: float
) -> tuple[np.ndarray, float]:
    """Solve the dual of two labels: minimise ½ β'Kβ − (y − s)'β for Σβ = 0 and 0 ≤ y β ≤ C.

    Args:
      kernel: float ``[n, n]``.
      sign: y of each clip, 1 or -1.
      source: the source's decision s of each clip.
      C: bound of the dual variables.

    Returns:
      β ``[n]``, and the intercept.
    """
    low, high = np.minimum(sign, 0), np.maximum(sign, 0)
    share = _solve(C * kernel, source - sign, low, high)  # β / C, which no C makes tiny
    residual = sign - source - C * kernel @ share
    free = (share > low + _AT_BOUND) & (share < high - _AT_BOUND)
    if free.any():
        return C * share, float(residual[free].mean())
    is_low = share < (low + high) / 2
    # As libsvm does where any intercept of an interval is optimal.
    return C * share, float((residual[is_low].max() + residual[~is_low].min()) / 2)


def open_solver() -> ModuleType:
    """Return the module of the solver; a ValueError says how to install it."""
    try:
        import osqp
    except ImportError:
        raise ValueError(
            'the solver of the adaptive SVM is not installed; pip install "emojax[adaptive_svm]"'
        ) from None
    return osqp


def _solve(matrix: np.ndarray, linear: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Minimise ½ x'Ax + l'x for low ≤ x ≤ high and Σx = 0."""
    solver, size = open_solver().OSQP(), len(linear)
    from scipy import sparse

    solver.setup(
        sparse.csc_matrix(np.triu(matrix)),
        linear,
        sparse.vstack([sparse.eye(size), np.ones((1, size))], format="csc"),
        np.append(low, 0.0),
        np.append(high, 0.0),
        eps_abs=_PRECISION,
        eps_rel=_PRECISION,
        max_iter=_MOST_ITERATIONS,
        verbose=False,
    )
    found = solver.solve(raise_error=False)
    if found.info.status != "solved":
        raise ValueError(f"the adaptive SVM was not fitted: {found.info.status}; give a smaller C")
    return found.x
