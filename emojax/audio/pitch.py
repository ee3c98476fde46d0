"""Pitch and voicing of each frame of the front-end, on the accelerator.

The method is the autocorrelation of Boersma (1993): the autocorrelation of a windowed frame is
divided by that of the window. Its highest peak is at the period of the voice, and the height of the
peak is the strength of voicing.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from emojax.audio.log_mel import HOP_SAMPLES
from emojax.audio.reading import SAMPLE_RATE_HZ

LOWEST_HZ, HIGHEST_HZ = 60.0, 500.0
WINDOW_SAMPLES = 4 * HOP_SAMPLES  # 64 ms, almost four periods of the lowest pitch
PER_OCTAVE = 48  # candidates
# The harmonics in this band are enough; above it there is more noise than voice.
BAND_HZ = (45.0, 2_000.0)
# Multiples of a period have peaks too; this gain per octave prefers the shortest period.
OCTAVE_GAIN = 0.06
# A frame 40 dB below the loudest of its clip is half as voiced as it is periodic.
QUIET = 1e-4
SILENCE = 1e-12  # smallest value for a clip's loudest energy, so that silence is not voiced
# The weight of a frame's pitch rises from 0 to 1 between these strengths of voicing.
UNVOICED, VOICED = 0.4, 0.6
STEPS_PER_OCTAVE = 4.0  # unit of the standardised pitch: three semitones


def pitch(audio: jax.Array, frames: jax.Array) -> jax.Array:
    """Estimate pitch and voicing of each frame of :func:`emojax.audio.log_mel.log_mel`.

    Args:
      audio: f32 ``[B, T]`` at 16 kHz, zeros after each clip's end.
      frames: i32 ``[B]``, number of valid frames of each clip.

    Returns:
      f32 ``[B, 1 + T // 256, 2]``: binary logarithm of the pitch in Hz, which is arbitrary in
      frames that are not voiced, and the strength of voicing, 0..1.

    >>> tone = jnp.sin(2 * jnp.pi * 128 * jnp.arange(16_000) / 16_000)
    >>> pitch(tone[None], jnp.array([63]))[0, 30].round(1).tolist()
    [7.0, 1.0]
    """
    power = _power_spectrum(audio)
    energy = jnp.sum(power, axis=-1)
    valid = jnp.arange(energy.shape[1]) < frames[:, None]
    loudest = jnp.max(energy, axis=1, keepdims=True, where=valid, initial=SILENCE)
    octaves = _octaves()
    similarity = jnp.matmul(power, _cosines(octaves), precision=jax.lax.Precision.HIGHEST)
    similarity = similarity / (energy + QUIET * loudest)[..., None]
    return _highest_peak(similarity, octaves)


def _octaves() -> np.ndarray:
    """Return the candidates as binary logarithms of Hz, and one more at each end."""
    lowest, highest = np.log2([LOWEST_HZ, HIGHEST_HZ])
    count = round((highest - lowest) * PER_OCTAVE)
    return lowest + np.arange(-1, count + 2) / PER_OCTAVE


def _bins() -> np.ndarray:
    low, high = (round(edge * WINDOW_SAMPLES / SAMPLE_RATE_HZ) for edge in BAND_HZ)
    return np.arange(low, high + 1)


def _power_spectrum(audio: jax.Array) -> jax.Array:
    """Compute the power of frames centred on their hop in the band: f32 ``[B, F, bins]``."""
    half, samples = WINDOW_SAMPLES // 2, audio.shape[-1]
    padded = jnp.pad(audio, ((0, 0), (half, half - samples % HOP_SAMPLES)))
    hops = padded.reshape(audio.shape[0], -1, HOP_SAMPLES)
    more = WINDOW_SAMPLES // HOP_SAMPLES - 1  # hops of a frame beside its first
    parts = [hops[:, first : first - more or None] for first in range(more + 1)]
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
    spectrum = jnp.fft.rfft(jnp.concatenate(parts, axis=-1) * window)[..., _bins()]
    return jnp.square(spectrum.real) + jnp.square(spectrum.imag)


def _cosines(octaves: np.ndarray) -> np.ndarray:
    """Return the matrix from a power spectrum to the autocorrelation at each candidate's period.

    It includes the division by the autocorrelation of Hann's window. The transform is circular;
    this error is small, because the window is near 0 at its ends.
    """
    period = SAMPLE_RATE_HZ / np.exp2(octaves)
    turn = 2 * np.pi * period / WINDOW_SAMPLES
    rest = 1 - period / WINDOW_SAMPLES
    window = rest * (2 / 3 + np.cos(turn) / 3) + np.sin(turn) / (2 * np.pi)
    return (np.cos(np.outer(_bins(), turn)) / window).astype(np.float32)


def _highest_peak(similarity: jax.Array, octaves: np.ndarray) -> jax.Array:
    """Find the highest peak of each frame, ``[B, F, C + 2]``, between candidates by a parabola."""
    score = similarity + (OCTAVE_GAIN * (octaves - octaves[0])).astype(np.float32)
    left, middle, right = score[..., :-2], score[..., 1:-1], score[..., 2:]
    peak = (middle >= left) & (middle > right)
    best = jnp.argmax(jnp.where(peak, middle, -jnp.inf), axis=-1, keepdims=True)
    here = [jnp.take_along_axis(part, best, axis=-1)[..., 0] for part in (left, middle, right)]
    strength = jnp.take_along_axis(similarity, best + 1, axis=-1)[..., 0]
    strength = jnp.where(jnp.any(peak, axis=-1), jnp.clip(strength, 0.0, 1.0), 0.0)
    bend = jnp.minimum(here[0] - 2 * here[1] + here[2], -np.finfo(np.float32).tiny)
    offset = jnp.clip((here[0] - here[2]) / (2 * bend), -0.5, 0.5)
    first = np.float32(octaves[1])
    return jnp.stack([first + (best[..., 0] + offset) / PER_OCTAVE, strength], axis=-1)


def standardise_pitch(tracks: jax.Array, frames: jax.Array) -> jax.Array:
    """Make the pitch relative to its median over an utterance's voiced frames.

    This keeps the range of a voice and removes its height, which depends on the speaker.

    Args:
      tracks: f32 ``[B, F, 2]`` of :func:`pitch`.
      frames: i32 ``[B]``, number of valid frames of each.

    Returns:
      f32 ``[B, F, 2]``: pitch in steps of three semitones, 0 in frames that are not voiced, and the
      strength of voicing; both are 0 where padded.
    """
    octaves, strength = tracks[..., 0], tracks[..., 1]
    valid = jnp.arange(octaves.shape[1]) < frames[:, None]
    voiced = valid & (strength > (UNVOICED + VOICED) / 2)
    last = jnp.maximum(jnp.sum(voiced, axis=1, keepdims=True) - 1, 0)
    ordered = jnp.sort(jnp.where(voiced, octaves, jnp.inf), axis=1)
    median = jnp.take_along_axis(ordered, last // 2, axis=1)
    weight = jnp.clip((strength - UNVOICED) / (VOICED - UNVOICED), 0.0, 1.0)
    relative = STEPS_PER_OCTAVE * (octaves - jnp.where(jnp.isfinite(median), median, octaves))
    both = jnp.stack([relative * weight, strength], axis=-1)
    return jnp.where(valid[..., None], both, 0.0)
