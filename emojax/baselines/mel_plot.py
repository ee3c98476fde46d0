"""Mel plot of a clip as in DeepSpectrum, drawn on the accelerator."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from emojax.audio.log_mel import HOP_SAMPLES, log_mel

PIXELS = 224
MELS = 128


def mel_plot(audio: jax.Array, length: jax.Array) -> jax.Array:
    """Draw the mel spectrogram of a whole clip in 224 × 224 pixels, without axes or margins.

    EmoNet, section 4.2: 128 mel filters, the magma colour map, no windowing, resized to ImageNet's
    size. Details that the paper leaves open follow DeepSpectrum: windows of 512 samples, 256 apart,
    inside the clip; decibels, from the clip's minimum in the darkest colour to its maximum in the
    brightest; low frequencies at the bottom. Filters have equal heights. Resizing is linear, with
    antialiasing.

    Args:
      audio: float32 ``[T]``, 16 kHz, at least 0.1 s.
      length: int32, number of samples of the clip; the rest is padding and is not shown.

    Returns:
      float32 ``[224, 224, 3]``, RGB, 0 to 255.
    """
    # The windows inside the clip are centred on its second to last but one hop.
    mel = log_mel(audio, MELS)[1:]
    count = jnp.maximum(length // HOP_SAMPLES - 1, 1)
    shown = (jnp.arange(len(mel)) < count)[:, None]
    least = jnp.min(mel, where=shown, initial=jnp.inf)
    largest = jnp.max(mel, where=shown, initial=-jnp.inf)
    shade = (mel - least) / jnp.maximum(largest - least, 1e-6)
    colours = jnp.asarray(_magma())[jnp.clip(256 * shade, 0, 255).astype(int)]
    # The fourth channel is opacity: dividing by it removes the padding from the edge.
    picture = jnp.where(shown[:, :, None], colours, 0.0).swapaxes(0, 1)[::-1]
    scale = jnp.array([PIXELS / MELS, PIXELS / count])
    shape = (PIXELS, PIXELS, 4)
    picture = jax.image.scale_and_translate(picture, shape, (0, 1), scale, jnp.zeros(2), "linear")
    return 255 * picture[..., :3] / picture[..., 3:]


@functools.cache
def _magma() -> np.ndarray:
    """Return the 256 opaque colours of the magma map, float32 [256, 4]."""
    import matplotlib

    return matplotlib.colormaps["magma"](np.arange(256)).astype(np.float32)
