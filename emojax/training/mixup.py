"""Mixup: training on mixtures of two clips, with the labels of both."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from emojax.models.speech_network import Features


def mix(
    features: Features, length: jax.Array, label: jax.Array, key: jax.Array, alpha: float
) -> tuple[tuple[Features, jax.Array], jax.Array, jax.Array]:
    """Mix each clip of a batch with the one before it (Zhang et al., 2018, arXiv:1710.09412).

    The order of a batch is random, so neighbours are random pairs. A mixture is as long as the
    longer of its two clips; after the end of the shorter one it is mixed with 0, the mean.

    Args:
      features: f32 ``[B, F, ...]``, standardised, 0 where padded; or a tuple of such.
      length: i32 ``[B]``, valid frames or samples of each row.
      label: i32 ``[B]``.
      key: random key of this batch.
      alpha: the share of each row's own clip is drawn from Beta(alpha, alpha).

    Returns:
      the network's inputs (features and length); i32 ``[B]``, the label of the other clip; and
      f32 ``[B]``, the share of the row's own clip.

    >>> features, length = jnp.array([[1.0, 1.0], [0.5, 0.0]]), jnp.array([2, 1])
    >>> inputs, other, share = mix(features, length, jnp.array([3, 4]), jax.random.key(0), 0.2)
    >>> inputs[1].tolist(), other.tolist(), bool(((0 <= share) & (share <= 1)).all())
    ([2, 2], [4, 3], True)
    """
    share = jax.random.beta(key, alpha, alpha, length.shape)

    def mixed(array: jax.Array) -> jax.Array:
        part = share.reshape(-1, *[1] * (array.ndim - 1))
        return part * array + (1 - part) * jnp.roll(array, 1, axis=0)

    longer = jnp.maximum(length, jnp.roll(length, 1))
    return (jax.tree.map(mixed, features), longer), jnp.roll(label, 1), share


def mix_numbers(numbers: jax.Array, share: jax.Array) -> jax.Array:
    """Mix the numbers f32 ``[B, D]`` of each clip with those of the one before it, as :func:`mix`.

    >>> mix_numbers(jnp.array([[1.0], [3.0]]), jnp.array([0.5, 1.0])).tolist()
    [[2.0], [3.0]]
    """
    own = share[:, None]
    return own * numbers + (1 - own) * jnp.roll(numbers, 1, axis=0)
