"""Support vector machines on one feature vector per clip."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.metrics import recall_score
from sklearn.metrics.pairwise import linear_kernel, rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

# EmoNet, section 4.1: "on a logarithmic scale from 1 to 10^-9"; the smallest C wins a tie.
COMPLEXITIES = tuple(10.0**exponent for exponent in range(-9, 1))


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """Answer of a classifier for a test part.

    Attributes:
      predicted: int ``[N]``, a label for every clip of the test part.
      complexity: the C that was used.
      devel_uar: UAR on devel with this C; None where C was not chosen on devel.
    """

    predicted: np.ndarray
    complexity: float
    devel_uar: float | None


def linear(features: np.ndarray, labels: np.ndarray, parts: Mapping[str, np.ndarray]) -> Answer:
    """Fit the paper's linear SVM: choose C by devel UAR, then fit again on train and devel.

    Features are always standardised with the statistics of train.

    Args:
      features: float ``[N, D]``; NaN counts as the mean of train.
      labels: int ``[N]``.
      parts: ``train``, ``devel`` and ``test`` → indices.
    """
    train, devel, test = (parts[part] for part in ("train", "devel", "test"))
    kernel = linear_kernel(_standardise(features, train))
    uar = {c: _uar(labels[devel], _predict(kernel, labels, c, train, devel)) for c in COMPLEXITIES}
    best = max(uar, key=uar.__getitem__)
    both = np.concatenate([train, devel])
    return Answer(_predict(kernel, labels, best, both, test), best, uar[best])


def rbf(features: np.ndarray, labels: np.ndarray, parts: Mapping[str, np.ndarray]) -> Answer:
    """Fit an SVM with C = 1 and an RBF kernel with gamma = 1 / D on train and devel.

    Nothing is chosen on devel. The arguments are those of :func:`linear`.
    """
    train = np.concatenate([parts["train"], parts["devel"]])
    kernel = rbf_kernel(_standardise(features, train), gamma=1 / features.shape[1])
    return Answer(_predict(kernel, labels, 1.0, train, parts["test"]), 1.0, None)


CLASSIFIERS = {"linear": linear, "rbf": rbf}


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


def _standardise(features: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Scale features to zero mean and unit variance over the train clips; NaN becomes the mean."""
    return np.nan_to_num(StandardScaler().fit(features[train]).transform(features))


def _predict(
    kernel: np.ndarray, labels: np.ndarray, complexity: float, seen: np.ndarray, unseen: np.ndarray
) -> np.ndarray:
    """Fit an SVM on seen clips and predict unseen ones, given the kernel [N, N] of all clips."""
    # The kernel of all clips is one matrix product; libsvm computes it by pairs, again for every C.
    svm = SVC(C=complexity, kernel="precomputed").fit(kernel[np.ix_(seen, seen)], labels[seen])
    return svm.predict(kernel[np.ix_(unseen, seen)])


def _uar(truth: np.ndarray, predicted: np.ndarray) -> float:
    return float(recall_score(truth, predicted, labels=np.unique(truth), average="macro"))
