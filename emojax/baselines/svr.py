"""Support vector regression of numbers on one feature vector per clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from sklearn.metrics.pairwise import linear_kernel
from sklearn.svm import SVR

from emojax.baselines.svm import COMPLEXITIES, standardise
from emojax.concordance import concordance
from emojax.data.units import Units


@dataclasses.dataclass(frozen=True, eq=False)
class NumbersAnswer:
    """Answer of a regression for a test part.

    Attributes:
      predicted: float64 ``[N, D]``, in the units of the numbers.
      complexity: the C that was used for each column.
      devel_uar: in the place of a classifier's UAR, the mean concordance on devel with these C.
      gamma: None, as of any linear kernel.
    """

    predicted: np.ndarray
    complexity: tuple[float, ...]
    devel_uar: float
    gamma: float | None = None


def linear_svr(
    features: np.ndarray, numbers: np.ndarray, parts: Mapping[str, np.ndarray]
) -> NumbersAnswer:
    """Fit a linear SVR for each column: choose C by devel CCC, then fit again on train and devel.

    Features and numbers are standardised with the statistics of train.

    Args:
      features: float ``[N, D]``; NaN counts as the mean of train.
      numbers: float64 ``[N, D]``, finite for the clips of all parts.
      parts: ``train``, ``devel`` and ``test`` → indices.

    Raises:
      ValueError: there is no devel part to choose C by.
    """
    train, devel, test = (parts[name] for name in ("train", "devel", "test"))
    if not len(devel):
        raise ValueError("an SVR needs clips with numbers in devel, by which its C is chosen")
    both = np.concatenate([train, devel])
    kernel, units = linear_kernel(standardise(features, train)), Units.of(numbers[train])
    scaled = units.scaled(numbers)
    chosen, devel_cccs, answers = [], [], []
    for own in scaled.T:
        ccc = {c: _ccc(own[devel], _predict(kernel, own, c, train, devel)) for c in COMPLEXITIES}
        best = max(ccc, key=ccc.__getitem__)  # the smallest C wins a tie
        chosen.append(best)
        devel_cccs.append(ccc[best])
        answers.append(_predict(kernel, own, best, both, test))
    predicted = units.restored(np.stack(answers, axis=1))
    return NumbersAnswer(predicted, tuple(chosen), float(np.mean(devel_cccs)))


def _predict(
    kernel: np.ndarray, numbers: np.ndarray, complexity: float, seen: np.ndarray, unseen: np.ndarray
) -> np.ndarray:
    """Fit an SVR on seen clips, and return its answers for unseen ones."""
    svr = SVR(C=complexity, kernel="precomputed").fit(kernel[np.ix_(seen, seen)], numbers[seen])
    return svr.predict(kernel[np.ix_(unseen, seen)])


def _ccc(truth: np.ndarray, predicted: np.ndarray) -> float:
    columns = truth[:, None], predicted[:, None]
    return float(concordance(*columns, np.ones((len(truth), 1)), floor=1e-12)[0])
