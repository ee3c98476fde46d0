"""Log-mel front-end, on the accelerator: waveforms in, ``[frames, mels]`` out."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from emojax.audio.mel_scale import mel_filters
from emojax.audio.reading import SAMPLE_RATE_HZ

WINDOW_SAMPLES = 512  # 32 ms
HOP_SAMPLES = 256  # 16 ms
MELS = 64
POWER_FLOOR = 1e-10  # Power of digital silence before the logarithm.
VARIANCE_EPSILON = 1e-5

# Bins this far below the loudest bin of a recording are noise.
DYNAMIC_RANGE_DB = 80.0


def frame_count(samples):
    """Return the number of frames of ``samples``; 0 samples (a filler row) have 0 frames.

    >>> int(frame_count(16_000)), int(frame_count(0))
    (63, 0)
    """
    return (1 + samples // HOP_SAMPLES) * (samples > 0)


@functools.cache
def filters(mels: int = MELS) -> np.ndarray:
    """Return the filters that make mels of a power spectrum, float32 ``[257, mels]``."""
    return mel_filters(mels, WINDOW_SAMPLES, SAMPLE_RATE_HZ)


def _fourier(frames: jax.Array, dtype: DTypeLike) -> jax.Array:
    spectrum = jnp.fft.rfft(frames.astype(dtype) * jnp.asarray(_window(), dtype))
    return (jnp.square(spectrum.real) + jnp.square(spectrum.imag)).astype(jnp.float32)


def _fourier_f64(frames: jax.Array) -> jax.Array:
    with jax.enable_x64(True):
        return _fourier(frames, jnp.float64)


def _product(frames: jax.Array) -> jax.Array:
    product = jnp.matmul(frames, _fourier_matrix(), precision=jax.lax.Precision.HIGHEST)
    real, imaginary = jnp.split(jnp.square(product), 2, axis=-1)
    return real + imaginary


def _portable(frames: jax.Array) -> jax.Array:
    with jax.enable_x64(True):  # for the choice too, because vmap traces it again
        return jax.lax.platform_dependent(frames, tpu=_product, default=_fourier_f64)


def _window() -> np.ndarray:
    return np.hanning(WINDOW_SAMPLES + 1)[:-1]


@functools.cache
def _fourier_matrix() -> np.ndarray:
    """Return the window and the transform as one matrix, float32 ``[512, 2 · 257]``."""
    angles = 2 * np.pi / WINDOW_SAMPLES * np.arange(WINDOW_SAMPLES)[:, None]
    angles = angles * np.arange(WINDOW_SAMPLES // 2 + 1)
    both = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return (_window()[:, None] * both).astype(np.float32)


# Forms of the power spectrum, f32 ``[..., F, 512]`` → f32 ``[..., F, 257]``. Largest errors of the
# logarithm on real recordings: f32, which rounds relative to the loudest bin, 5e-4, and 1e-4 above
# the floor of 80 dB; product, in float32, 2e-4; f64, 2e-6.
PORTABLE = "portable"  # product on TPUs, f64 elsewhere; for programs that run on any device
TRANSFORMS: dict[str, Callable[[jax.Array], jax.Array]] = {
    "f64": _fourier_f64,
    "f32": functools.partial(_fourier, dtype=jnp.float32),
    "product": _product,
    PORTABLE: _portable,
}


def log_mel(audio: jax.Array, mels: int = MELS, transform: str = PORTABLE) -> jax.Array:
    """Compute the natural logarithm of the mel power spectrogram.

    Equal to ``np.log(np.maximum(librosa.feature.melspectrogram(y=audio, sr=16_000, n_fft=512,
    hop_length=256, n_mels=mels), 1e-10)).T``: Hann window, frames centred on their hop, zeros
    around the recording, Slaney mel filters. Zero padding at the end adds frames and changes no
    other (section 5.1).

    Args:
      audio: float32 ``[..., samples]`` at 16 kHz.
      mels: number of filters.
      transform: form of the power spectrum, one of ``TRANSFORMS``.

    Returns:
      float32 ``[..., 1 + samples // 256, mels]``.

    >>> log_mel(jnp.zeros(16_000)).shape
    (63, 64)
    """
    samples = audio.shape[-1]
    around = (HOP_SAMPLES, HOP_SAMPLES - samples % HOP_SAMPLES)
    padded = jnp.pad(audio, [(0, 0)] * (audio.ndim - 1) + [around])
    hops = padded.reshape(*audio.shape[:-1], -1, HOP_SAMPLES)
    frames = jnp.concatenate([hops[..., :-1, :], hops[..., 1:, :]], axis=-1)  # of two hops each
    power = TRANSFORMS[transform](frames)
    # By default accelerators multiply in less than float32.
    mel = jnp.matmul(power, filters(mels), precision=jax.lax.Precision.HIGHEST)
    return jnp.log(jnp.maximum(mel, POWER_FLOOR))


def standardise(mel: jax.Array, frames: jax.Array) -> jax.Array:
    """Standardise each utterance to zero mean and unit variance; padded frames become 0.

    Only valid frames count. The floor is 80 dB below the maximum of the utterance, so the result
    depends neither on its level nor on its batch.

    Args:
      mel: float32 ``[B, F, M]`` of :func:`log_mel`.
      frames: int32 ``[B]``, number of valid frames of each.

    Returns:
      float32 ``[B, F, M]``.
    """
    mask = (jnp.arange(mel.shape[1]) < frames[:, None])[:, :, None]
    peak = jnp.max(mel, axis=(1, 2), keepdims=True, where=mask, initial=np.log(POWER_FLOOR))
    mel = jnp.maximum(mel, peak - DYNAMIC_RANGE_DB * np.log(10) / 10)
    count = jnp.maximum(frames, 1)[:, None, None] * mel.shape[2]
    mean = jnp.sum(mel, axis=(1, 2), keepdims=True, where=mask) / count
    centred = jnp.where(mask, mel - mean, 0.0)
    variance = jnp.sum(jnp.square(centred), axis=(1, 2), keepdims=True) / count
    return centred * jax.lax.rsqrt(variance + VARIANCE_EPSILON)
