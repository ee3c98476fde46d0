"""Interface of the networks for training and inference."""

from __future__ import annotations

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

Features = Any  # an array, or a tuple of them


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Output:
    """Embedding f32 ``[B, D]`` and logits f32 ``[B, K]`` (−inf on padded classes)."""

    embedding: jax.Array
    logits: jax.Array


class SpeechNetwork(nn.Module):
    """Base class of all networks: a trunk and a corpus's head.

    ``emojax.config.NETWORKS`` has their names.

    Modules whose name begins with ``head`` or contains ``norm``, and parameters whose name begins
    with ``adapter``, belong to one corpus. All other parameters are shared.

    Attributes:
      classes: K, the width of the padded logits.
      adapters: use adapters; off for a network of one corpus.
      dropout: dropout rate.
      frozen_kernels: the shared parameters have no gradient.
      frozen_norms: norms before the head use their stored statistics in training too, and have no
        gradient.
      compute_dtype: dtype of the trunk; parameters, statistics, embedding and head are always
        float32.
    """

    classes: int
    adapters: bool = True
    dropout: float = 0.5
    frozen_kernels: bool = False
    frozen_norms: bool = False
    compute_dtype: DTypeLike = jnp.float32

    @property
    def embedding_size(self) -> int:
        """Length of an embedding, D."""
        raise NotImplementedError

    @property
    def windows_read(self) -> int:
        """Length of the training crops of waveforms, in windows; ``augment`` cuts one out."""
        return 1

    def features(self, audio: jax.Array, length: jax.Array) -> tuple[Features, jax.Array]:
        """Compute the features that augmentation may change, and their valid lengths.

        Args:
          audio: f32 ``[B, T]``, −1..1 at 16 kHz, zeros after each clip's end.
          length: i32 ``[B]``, samples of each clip; 0 marks a filler row.

        Returns:
          features f32 ``[B, F, ...]``, or a tuple of such, and i32 ``[B]``.
        """
        raise NotImplementedError

    def standardise(self, features: Features, length: jax.Array) -> Features:
        """Standardise each row of :meth:`features` over its valid part."""
        raise NotImplementedError

    def augment(
        self, features: Features, length: jax.Array, key: jax.Array, **settings: float
    ) -> tuple[Features, jax.Array]:
        """Distort :meth:`features` at random for training, and standardise them.

        A network without augmentation only standardises.
        """
        return self.standardise(features, length), length

    def inputs(self, audio: jax.Array, length: jax.Array) -> tuple[Features, jax.Array]:
        """Compute the first two arguments of a call from the arguments of :meth:`features`."""
        features, length = self.features(audio, length)
        return self.standardise(features, length), length

    def plain(self) -> SpeechNetwork:
        """Return the same network in the form whose operations are counted."""
        return self

    @nn.compact
    def __call__(
        self, features: Features, length: jax.Array, class_mask: jax.Array, train: bool
    ) -> Output:
        """Compute embedding and logits of a batch.

        Args:
          features: f32 ``[B, ...]``, standardised, zero where padded; or a tuple of such.
          length: i32 ``[B]``, valid length of each row; 0 marks a filler row.
          class_mask: bool ``[K]``, the classes of this corpus.
          train: use batch statistics and dropout (rng ``"dropout"``); the collection ``"stats"``
            must be mutable.
        """
        embedding = self.trunk(features, length, train)
        logits = self.head(embedding, length > 0, train)
        return Output(embedding, jnp.where(class_mask, logits, -jnp.inf))

    def trunk(self, features: Features, length: jax.Array, train: bool) -> jax.Array:
        """Compute the embedding f32 ``[B, D]`` from the first two arguments of a call."""
        raise NotImplementedError

    def head(self, embedding: jax.Array, rows: jax.Array, train: bool) -> jax.Array:
        """Compute logits f32 ``[B, K]``; ``rows`` bool ``[B]`` is False for filler rows."""
        raise NotImplementedError
