"""Classifier that adapts a trained model to own recordings and labels."""

from __future__ import annotations

import numbers
import os
from typing import Any, Self

import jax
import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length

from emojax.config import Config
from emojax.data.prepared import Recordings
from emojax.inference.api import Model
from emojax.inference.recordings import read_clips
from emojax.sklearn.by_reference import ByReference
from emojax.sklearn.column import as_recordings
from emojax.training.adapting import CLIPS, adaptation_config, learn, load_learnt
from emojax.training.recipe import ADAPT


class EmotionClassifier(ClassifierMixin, ByReference):
    """Classifier of own labels: a trained model, adapted as by ``configs/adapt.py``.

    A pickle has all learnt parameters, and does not need the base. A label that is one of the
    base's common emotions starts with its row of the base's head.

    Args:
      base: trained model, as for :func:`emojax.load`.
      base_corpus: corpus of the base whose adapters and norms are the initial ones. If not given,
        the domain of common emotions; if the base has no such domain, they are new.
      transfer: the trained parameters: ``"finetune"`` (all), ``"adapters"`` (adapters, norms and
        head), ``"norms"`` (norms and head) or ``"last_layer"`` (head).
      rounds: number of batches of 32 clips to train on.
      random_state: seed of new parameters, of the order of the clips and of their crops. Fits with
        one seed share a compiled program.

    Attributes:
      classes_: the labels, ascending, ``[K]``.
      learnt_: settings of the network, shared and own parameters, and statistics.
    """

    classes_: np.ndarray
    learnt_: dict[str, Any]

    def __init__(
        self,
        base: str | os.PathLike = ADAPT["base"],
        *,
        base_corpus: str | None = None,
        transfer: str = ADAPT["transfer"],
        rounds: int = ADAPT["rounds_per_phase"],
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.base = base
        self.base_corpus = base_corpus
        self.transfer = transfer
        self.rounds = rounds
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Adapt the base to N recordings with a label each, strings or integers.

        Raises:
          ValueError: there is no such base; there are fewer than two labels, or not one for each
            recording; or some recordings cannot be used, and the message names them.
        """
        config, recordings = self._config(), as_recordings(X)
        _check_labels(y)
        check_classification_targets(y)
        check_consistent_length(recordings, y)
        encoder = LabelEncoder()
        rows = encoder.fit_transform(y).astype(np.int32)
        if len(encoder.classes_) < 2:
            said = f"one label, {encoder.classes_[0]!r}" if len(rows) else "no label"
            raise ValueError(f"y has {said}; give recordings of at least two")
        labels = [*map(str, encoder.classes_)]
        state = learn(config, labels, Recordings(read_clips(recordings), rows))
        own = state.corpora[CLIPS]
        learnt = {"shared": state.shared.params, "params": own.params, "stats": own.stats}
        self.learnt_ = {"network": vars(config.network), **jax.device_get(learnt)}
        self.classes_ = encoder.classes_
        return self._fitted(self._load())

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of N recordings, ``[N]``; errors as in ``transform``."""
        shares = self.predict_proba(X)
        return self.classes_[shares.argmax(axis=1)]

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each of ``classes_``, not calibrated, float64 ``[N, K]``.

        Raises:
          ValueError: some recordings cannot be used; the message names them all.
        """
        answers = self._loaded().predict_many(as_recordings(X))
        shares = [[*answer.values()] for answer in answers]
        return np.array(shares, float).reshape(-1, len(self.classes_))

    def _config(self) -> Config:
        check_scalar(self.rounds, "rounds", numbers.Integral, min_val=1)
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        return adaptation_config(
            self.base, self.base_corpus or "", self.transfer, int(self.rounds), seed
        )

    def _load(self) -> Model:
        return load_learnt(labels=[*map(str, self.classes_)], **self.learnt_)


def _check_labels(y: Any) -> None:
    """Raise a ValueError if a label is missing; LabelEncoder would make NaN a label."""
    for place, label in enumerate(y if isinstance(y, list) else np.ravel(y)):
        if not isinstance(label, (str, numbers.Number)) or label != label:
            raise ValueError(
                f"y has {label!r} at {place}; give a text or a number, or leave it out"
            )
