"""Support vector machines on one feature vector per clip."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emojax.corpora.groups import deal
from emojax.evaluation.metrics import unweighted_recall

# EmoNet, section 4.1: "on a logarithmic scale from 1 to 10^-9"; the smallest C wins a tie.
COMPLEXITIES = tuple(10.0**exponent for exponent in range(-9, 1))
# Of rbf_cv: gamma as a multiple of 1 / D, and C; of pairs that are as good, the first is taken.
_GRID = tuple(itertools.product((0.01, 0.1, 1.0, 10.0), (0.1, 1.0, 10.0, 100.0)))
_INNER_FOLDS = 5
# In standard deviations of the decision values, because a tiny C makes them tiny. The lower bound
# keeps an SVM uncertain if all of a few devel clips are right.
_TEMPERATURES = (0.25, 100.0)


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """Answer of a classifier for a test part.

    Attributes:
      predicted: int ``[N]``, a label for every clip of the test part.
      complexity: the C that was used.
      devel_uar: UAR on devel with this C; None if C is not chosen on devel.
      probabilities: float ``[N, K]``, of the labels 0 to K - 1; the predicted one has the highest.
        They are the softmax of the decision values, one label against the rest, over a temperature
        that makes devel, or the inner folds, likeliest. A label that no learnt clip has gets 0.
      gamma: of the RBF kernel; None of a linear one.
    """

    predicted: np.ndarray
    complexity: float
    devel_uar: float | None
    probabilities: np.ndarray
    gamma: float | None = None


def linear(
    features: np.ndarray,
    labels: np.ndarray,
    parts: Mapping[str, np.ndarray],
    groups: np.ndarray | None = None,
) -> Answer:
    """Fit the paper's linear SVM: choose C by devel UAR, then fit again on train and devel.

    Features are always standardised with the statistics of train.

    Args:
      features: float ``[N, D]``; NaN counts as the mean of train.
      labels: int ``[N]``.
      parts: ``train``, ``devel`` and ``test`` → indices.
      groups: int ``[N]``, the speaker of each clip; only :func:`rbf_cv` asks for them.
    """
    train, devel = parts["train"], parts["devel"]
    kernel = linear_kernel(standardise(features, train))
    seen = {c: _decide(kernel, labels, c, train, devel) for c in COMPLEXITIES}
    uar = {c: unweighted_recall(labels[devel], values.argmax(axis=1)) for c, values in seen.items()}
    best = max(uar, key=uar.__getitem__)
    temperature = _temperature(seen[best], labels[devel])
    return _answer(kernel, labels, parts, temperature, best, uar[best])


def rbf(
    features: np.ndarray,
    labels: np.ndarray,
    parts: Mapping[str, np.ndarray],
    groups: np.ndarray | None = None,
) -> Answer:
    """Fit an SVM with C = 1 and an RBF kernel with gamma = 1 / D on train and devel.

    Nothing but the temperature is chosen on devel; it is 1 where devel is empty. The arguments are
    those of :func:`linear`.
    """
    train, devel = parts["train"], parts["devel"]
    scaled = standardise(features, np.concatenate([train, devel]))
    gamma = 1 / features.shape[1]
    kernel = rbf_kernel(scaled, gamma=gamma)
    temperature = _temperature(_decide(kernel, labels, 1.0, train, devel), labels[devel])
    return _answer(kernel, labels, parts, temperature, 1.0, gamma=gamma)


def rbf_cv(
    features: np.ndarray,
    labels: np.ndarray,
    parts: Mapping[str, np.ndarray],
    groups: np.ndarray | None = None,
) -> Answer:
    """Fit an SVM with an RBF kernel whose C and gamma do best in inner folds over speakers.

    Train and devel make five folds, or as many as they have speakers; where there is one speaker,
    or none is known, they are folds of clips. The UAR is over all folds together. The arguments are
    those of :func:`linear`.
    """
    seen = np.concatenate([parts["train"], parts["devel"]])
    scaled = standardise(features, seen)
    folds = inner_folds(labels[seen], None if groups is None else groups[seen])

    @functools.lru_cache(maxsize=1)
    def kernel(gamma: float) -> np.ndarray:
        return rbf_kernel(scaled, gamma=gamma / features.shape[1])

    def held_out(gamma: float, complexity: float) -> np.ndarray:
        values = np.empty((len(seen), labels.max() + 1))
        for fold in np.unique(folds):
            inside, outside = seen[folds != fold], seen[folds == fold]
            values[folds == fold] = _decide(kernel(gamma), labels, complexity, inside, outside)
        return values

    truth = labels[seen]
    best = max(_GRID, key=lambda pair: unweighted_recall(truth, held_out(*pair).argmax(axis=1)))
    temperature = _temperature(held_out(*best), truth)
    gamma, complexity = best
    return _answer(
        kernel(gamma), labels, parts, temperature, complexity, gamma=gamma / features.shape[1]
    )


CLASSIFIERS = {"linear": linear, "rbf": rbf, "rbf_cv": rbf_cv}


def per_speaker(features: np.ndarray, speakers: Sequence[str]) -> np.ndarray:
    """Standardise the features of each speaker, float ``[N, D]``; needs all clips and no labels.

    Raises:
      ValueError: a clip has no speaker.

    >>> per_speaker(np.array([[1.0], [3.0], [10.0]]), ["a", "a", "b"]).ravel().tolist()
    [-1.0, 1.0, 0.0]
    """
    if "" in speakers:
        raise ValueError("speaker normalisation needs the speaker of every clip; switch it off")
    names = np.array(speakers)
    normalised = np.empty_like(features)
    for name in np.unique(names):
        normalised[names == name] = StandardScaler().fit_transform(features[names == name])
    return normalised


def standardise(features: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Scale features to zero mean and unit variance over the train clips; NaN becomes the mean."""
    return np.nan_to_num(StandardScaler().fit(features[train]).transform(features))


def _answer(
    kernel: np.ndarray,
    labels: np.ndarray,
    parts: Mapping[str, np.ndarray],
    temperature: float,
    complexity: float,
    devel_uar: float | None = None,
    gamma: float | None = None,
) -> Answer:
    """Fit the SVM of this C on train and devel, and answer for test."""
    both = np.concatenate([parts["train"], parts["devel"]])
    values = _decide(kernel, labels, complexity, both, parts["test"])
    probabilities = softmax(values / temperature, axis=1)
    return Answer(values.argmax(axis=1), complexity, devel_uar, probabilities, gamma)


def inner_folds(labels: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Return the fold of each clip; where there are not two groups, each clip is one."""
    if groups is None or len(np.unique(groups)) < 2:
        groups = np.arange(len(labels))
    folds = min(_INNER_FOLDS, len(np.unique(groups)))
    return deal(groups, labels, (1 / folds,) * folds, seed=0)


def _decide(
    kernel: np.ndarray, labels: np.ndarray, complexity: float, seen: np.ndarray, unseen: np.ndarray
) -> np.ndarray:
    """Fit an SVM on seen clips, and return the decision values of unseen ones.

    Args:
      kernel: float ``[N, N]``, of all clips; libsvm would compute it by pairs, again for every C.
      labels: int ``[N]``, 0 to K - 1.
      complexity: the C.
      seen: indices.
      unseen: indices.

    Returns:
      float ``[unseen, K]``, highest at the label that the SVM predicts; -inf where no seen clip has
      the label.
    """
    if not len(unseen):
        return np.zeros((0, labels.max() + 1))
    svm = SVC(C=complexity, kernel="precomputed").fit(kernel[np.ix_(seen, seen)], labels[seen])
    rows = kernel[np.ix_(unseen, seen)]
    values = svm.decision_function(rows)
    if values.ndim == 1:  # of two labels, only the second's
        values = np.stack([-values, values], axis=1)
    # Of labels with as many votes, an SVM predicts the first, which may not be the surest.
    predicted = np.searchsorted(svm.classes_, svm.predict(rows))
    values[np.arange(len(rows)), predicted] = np.nextafter(values.max(axis=1), np.inf)
    every = np.full((len(rows), labels.max() + 1), -np.inf)
    every[:, svm.classes_] = values
    return every


def _temperature(values: np.ndarray, truth: np.ndarray) -> float:
    """The temperature by which the softmax of decision values makes the truth likeliest."""
    known = np.isfinite(values[np.arange(len(truth)), truth])
    if not known.any():
        return 1.0
    values, truth = values[known], truth[known]
    scale = np.std(values[np.isfinite(values)]) or 1.0

    def loss(log_temperature: float) -> float:
        logs = log_softmax(values / (scale * np.exp(log_temperature)), axis=1)
        return -logs[np.arange(len(truth)), truth].mean()

    found = minimize_scalar(loss, bounds=np.log(_TEMPERATURES), method="bounded")
    return float(scale * np.exp(found.x))
