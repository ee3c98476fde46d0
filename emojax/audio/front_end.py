"""Columns of each frame: log-mel, and optionally pitch and voicing after it."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from emojax.audio import log_mel
from emojax.audio.log_mel import MELS
from emojax.audio.pitch import pitch, standardise_pitch


def columns(
    audio: jax.Array,
    length: jax.Array,
    pitch_channels: bool,
    transform: str = log_mel.PORTABLE,
) -> tuple[jax.Array, jax.Array]:
    """Compute the columns of a batch of waveforms.

    Args:
      audio: f32 ``[B, T]`` at 16 kHz, zeros after each clip's end.
      length: i32 ``[B]``, samples of each clip.
      pitch_channels: append the two columns of :func:`emojax.audio.pitch.pitch`.
      transform: see :func:`emojax.audio.log_mel.log_mel`.

    Returns:
      f32 ``[B, F, M]`` or ``[B, F, M + 2]``, and i32 ``[B]``, the valid frames of each.
    """
    mel, frames = log_mel.log_mel(audio, transform=transform), log_mel.frame_count(length)
    if not pitch_channels:
        return mel, frames
    return jnp.concatenate([mel, pitch(audio, frames)], axis=-1), frames


def on_mels(change: Callable[[jax.Array], jax.Array], of_frames: jax.Array) -> jax.Array:
    """Apply a function to the mel columns of ``[..., F, M or M + 2]`` only."""
    if of_frames.shape[-1] == MELS:
        return change(of_frames)
    changed = change(of_frames[..., :MELS])
    return jnp.concatenate([changed, of_frames[..., MELS:]], axis=-1)


def standardise(of_frames: jax.Array, frames: jax.Array) -> jax.Array:
    """Standardise the columns of mels and pitch, each over the valid frames of each row."""
    standard = on_mels(lambda mel: log_mel.standardise(mel, frames), of_frames)
    if of_frames.shape[-1] == MELS:
        return standard
    tracks = standardise_pitch(standard[..., MELS:], frames)
    return jnp.concatenate([standard[..., :MELS], tracks], axis=-1)


def as_image(of_frames: jax.Array) -> jax.Array:
    """Return ``[B, F, M, 1 or 3]``; the channels of pitch and voicing are equal for all mels.

    >>> as_image(jnp.ones((1, 5, MELS + 2))).shape
    (1, 5, 64, 3)
    """
    mel = of_frames[..., :MELS, None]
    if of_frames.shape[-1] == MELS:
        return mel
    tracks = of_frames[..., None, MELS:]
    tracks = jnp.broadcast_to(tracks, (*mel.shape[:-1], tracks.shape[-1]))
    return jnp.concatenate([mel, tracks], axis=-1)
