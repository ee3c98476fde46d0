"""What a network offers to training, inference and everything above them."""

from __future__ import annotations

import dataclasses

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import DTypeLike


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Output:
    """Embedding f32 ``[B, D]`` and logits f32 ``[B, K]`` (−inf on padded classes)."""

    embedding: jax.Array
    logits: jax.Array


class SpeechNetwork(nn.Module):
    """Base class of all networks; ``emojax.config.NETWORKS`` has their names.

    A module whose name begins with ``head``, or has ``norm`` in it, and a parameter whose name
    begins with ``adapter`` belong to one corpus; all else is shared.

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
        """Numbers of an embedding, D."""
        raise NotImplementedError

    def features(self, audio: jax.Array, length: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Compute what augmentation may change, and how much of each row is valid.

        Args:
          audio: f32 ``[B, T]``, −1..1 at 16 kHz, zeros after each clip's end.
          length: i32 ``[B]``, samples of each clip; 0 marks a filler row.
        """
        raise NotImplementedError

    def standardise(self, features: jax.Array, length: jax.Array) -> jax.Array:
        """Standardise each row of :meth:`features` over what is valid of it."""
        raise NotImplementedError

    def augment(
        self, features: jax.Array, length: jax.Array, key: jax.Array, **settings: float
    ) -> tuple[jax.Array, jax.Array]:
        """Distort :meth:`features` at random for training, and standardise them.

        A network without augmentation only standardises.
        """
        return self.standardise(features, length), length

    def inputs(self, audio: jax.Array, length: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Compute the first two arguments of a call from the arguments of :meth:`features`."""
        features, length = self.features(audio, length)
        return self.standardise(features, length), length

    def plain(self) -> SpeechNetwork:
        """Return the network in the form whose operations are counted."""
        return self
