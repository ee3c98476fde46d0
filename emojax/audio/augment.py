"""Augmentation of training spectrograms, on the accelerator."""

from __future__ import annotations

import jax
import jax.numpy as jnp

MASKS = 2  # Number of masks of each kind.


def mask_bands(
    mel: jax.Array, frames: jax.Array, key: jax.Array, widest_mels: float, longest_share: float
) -> jax.Array:
    """Mask bands of mel channels and stretches of frames of each clip (SpecAugment).

    Park et al. (2019, arXiv:1904.08779), without time warping: two bands and two stretches, each of
    random width up to a limit and at a random place in the clip. Masked values become 0, the mean.

    Args:
      mel: f32 ``[B, F, M]`` of :func:`emojax.audio.log_mel.standardise`.
      frames: i32 ``[B]``, number of valid frames of each clip.
      key: random key of this batch.
      widest_mels: largest width of a band, in channels; 0 masks no bands.
      longest_share: largest length of a stretch, as a share of the clip's frames; 0 masks none.

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
    """Return a mask of positions in a random stretch of up to ``limit`` within 0 .. ``size``."""
    length, start = jax.random.uniform(key, (2, len(size)))
    length = length * limit
    start = start * (size - length)
    position = jnp.arange(positions) + 0.5
    return (position >= start[:, None]) & (position < (start + length)[:, None])
