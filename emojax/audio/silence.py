"""Silence at both ends of a recording is cut off, on the accelerator."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from emojax.audio.augment import DB
from emojax.audio.log_mel import MELS

MARGIN_FRAMES = 3  # frames that stay beside the first and the last one that is loud


def trim(of_frames: jax.Array, frames: jax.Array, below_db: float) -> tuple[jax.Array, jax.Array]:
    """Cut off the frames before the first and after the last loud one, and move the rest forward.

    A frame is loud if its power is at most ``below_db`` under the mean power of its row. So a row
    without silence, or with a high noise floor, stays whole.

    Args:
      of_frames: f32 ``[B, F, M or M + 2]`` of :func:`emojax.audio.front_end.columns`.
      frames: i32 ``[B]``, number of valid frames of each; 0 marks a filler row.
      below_db: in dB, greater than 0.

    Returns:
      f32 of the same shape, and i32 ``[B]``, valid frames.

    >>> quiet, loud = jnp.full((1, 20, MELS), -20.0), jnp.zeros((1, 5, MELS))
    >>> mel, frames = trim(jnp.concatenate([quiet, loud, quiet], 1), jnp.array([45]), 25)
    >>> int(frames[0]), mel[0, :4, 0].tolist()
    (11, [-20.0, -20.0, -20.0, 0.0])
    """
    length = of_frames.shape[1]
    valid = jnp.arange(length) < frames[:, None]
    level = jax.nn.logsumexp(of_frames[..., :MELS], axis=-1)
    mean = jax.nn.logsumexp(level, axis=1, where=valid, keepdims=True)
    mean = mean - jnp.log(jnp.maximum(frames, 1))[:, None]
    loud = valid & (level >= mean - below_db * DB)
    first = jnp.maximum(jnp.argmax(loud, axis=1) - MARGIN_FRAMES, 0)
    end = length - jnp.argmax(loud[:, ::-1], axis=1) + MARGIN_FRAMES
    return _beginning_at(of_frames, first), jnp.maximum(jnp.minimum(end, frames) - first, 0)


def crop(
    of_frames: jax.Array, frames: jax.Array, most_frames: int, key: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Cut at most ``most_frames`` successive frames out of each recording, at a random place.

    Args:
      of_frames: f32 ``[B, F, ...]``.
      frames: i32 ``[B]``, number of valid frames of each; 0 marks a filler row.
      most_frames: at most F.
      key: random key of this batch.

    Returns:
      f32 ``[B, most_frames, ...]``, and i32 ``[B]``, valid frames.

    >>> mel, frames = crop(jnp.ones((2, 9, 64)), jnp.array([9, 2]), 4, jax.random.key(0))
    >>> mel.shape, frames.tolist()
    ((2, 4, 64), [4, 2])
    """
    first = jax.random.randint(key, frames.shape, 0, jnp.maximum(frames - most_frames, 0) + 1)
    cut = _beginning_at(of_frames, first)[:, :most_frames]
    return cut, jnp.minimum(frames, most_frames)


def _beginning_at(of_frames: jax.Array, first: jax.Array) -> jax.Array:
    """Move the frames of each row forward, so that it begins with frame ``first``, i32 ``[B]``."""
    numbers = jnp.arange(of_frames.shape[1]) + first[:, None]
    return jnp.take_along_axis(of_frames, numbers[:, :, None], axis=1, mode="clip")
