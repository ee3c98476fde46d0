"""Augmentation of training spectrograms, on the accelerator."""

from __future__ import annotations

import jax
import jax.numpy as jnp

MASKS = 2  # of each kind


def mask_bands(
    mel: jax.Array, frames: jax.Array, key: jax.Array, widest_mels: float, longest_share: float
) -> jax.Array:
    """Hides bands of mel channels and stretches of frames of each clip: the masks of SpecAugment.

    Park et al. (2019, arXiv:1904.08779), without the warping of time: two bands and two stretches,
    each as wide as chance has it, up to a limit, and anywhere in the clip.  What is hidden becomes
    0: its mean.

    Args:
      mel: f32 ``[B, F, M]`` of :func:`emojax.audio.log_mel.standardise`.
      frames: i32 ``[B]``, valid frames of each.
      key: of this batch.
      widest_mels: limit of a band, in channels; 0 for none.
      longest_share: limit of a stretch, as a share of the clip's frames; 0 for none.

    Returns:
      f32 ``[B, F, M]``.

    >>> mel, frames = jnp.ones((1, 50, 64)), jnp.array([50])
    >>> bool((mask_bands(mel, frames, jax.random.key(0), 0, 0) == mel).all())
    True
    """
    if not (widest_mels or longest_share):
        return mel
    _, length, mels = mel.shape
    for number in range(MASKS):
        key_mels, key_frames = jax.random.split(jax.random.fold_in(key, number))
        all_mels = jnp.full(frames.shape, mels)
        band = _inside(key_mels, all_mels, jnp.full(frames.shape, widest_mels), mels)
        stretch = _inside(key_frames, frames, longest_share * frames, length)
        mel = jnp.where(band[:, None, :] | stretch[:, :, None], 0.0, mel)
    return mel


def _inside(key: jax.Array, size: jax.Array, limit: jax.Array, positions: int) -> jax.Array:
    """Whether a position is in a stretch of random length up to ``limit``, somewhere in 0 .. ``size``."""
    length, start = jax.random.uniform(key, (2, len(size)))
    length = length * limit
    start = start * (size - length)
    position = jnp.arange(positions) + 0.5
    return (position >= start[:, None]) & (position < (start + length)[:, None])
