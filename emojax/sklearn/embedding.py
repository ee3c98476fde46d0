"""Transformer from recordings to the embeddings of a trained model."""

from __future__ import annotations

import os
from typing import Any, Self

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from emojax.inference.api import Model, load
from emojax.sklearn.by_reference import ByReference
from emojax.sklearn.column import as_recordings
from emojax.training.recipe import ADAPT


class EmbeddingTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ByReference):
    """Embeddings of recordings, float32 ``[N, 8 · width]``; nothing is learnt from X.

    Args:
      model: trained model, as for :func:`emojax.load`.
      corpus: its corpus whose adapters are used, as for :func:`emojax.load`.
    """

    def __init__(self, model: str | os.PathLike = ADAPT["base"], corpus: str | None = None) -> None:
        self.model = model
        self.corpus = corpus

    def fit(self, X: Any = None, y: Any = None) -> Self:
        """Load the model; X and y are not read.

        Raises:
          ValueError: there is no such model or corpus.
        """
        return self._fitted(self._load())

    def transform(self, X: Any) -> np.ndarray:
        """Return the embeddings of N recordings, float32 ``[N, 8 · width]``.

        Raises:
          ValueError: some cannot be used; the message names them all.
        """
        model = self._loaded()
        embeddings = model.embed_many(as_recordings(X))
        return np.array(embeddings, np.float32).reshape(-1, model.embedding_size)

    @property
    def _n_features_out(self) -> int:
        return self._loaded().embedding_size

    def _load(self) -> Model:
        return load(self.model, self.corpus)
