"""Augmentation of the log-mel of training clips, on the accelerator."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from emojax.audio.front_end import on_mels, standardise
from emojax.audio.log_mel import MELS
from emojax.audio.mel_scale import mel_edges_hz
from emojax.audio.reading import SAMPLE_RATE_HZ

MASKS = 2  # Number of masks of each kind.
COLOURS = 3  # Cosines in the response of a random channel: half a period, one, one and a half.
NOISE_RANGE_DB = 40.0  # The quietest noise is this far below the loudest.
NOISE_TILT_DB = 10.0  # Largest gain of noise at one end of the mel axis; the other end loses it.
# A telephone's band; the filters are Butterworth's, of these orders below and above it.
TELEPHONE_HZ, TELEPHONE_ORDERS = (300.0, 3_400.0), (2, 10)
DB = np.float32(np.log(10) / 10)  # One decibel in the natural logarithm of power.


def augment(
    mel: jax.Array,
    frames: jax.Array,
    key: jax.Array,
    *,
    frequency_warp: float = 0.0,
    tempo: float = 0.0,
    colour_db: float = 0.0,
    noise_share: float = 0.0,
    telephone: float = 0.0,
    masked_mels: float = 0.0,
    masked_share: float = 0.0,
) -> tuple[jax.Array, jax.Array]:
    """Distort each clip at random, standardise it and mask parts of it.

    Each distortion has a random size for each clip; a setting of 0 turns it off. The first five
    change the log-mel, like another voice, microphone, room or line. The masks are applied after
    standardisation. The columns of the pitch are changed by the tempo and by masked frames only.

    Args:
      mel: f32 ``[B, F, M]`` of :func:`emojax.audio.log_mel.log_mel`, or ``[B, F, M + 2]`` of
        :func:`emojax.audio.front_end.columns`.
      frames: i32 ``[B]``, number of valid frames of each clip; 0 marks a filler row.
      key: random key of this batch.
      frequency_warp: frequencies are scaled by 1 ± up to this share (length of the vocal tract).
      tempo: the duration is scaled by 1 ± up to this share.
      colour_db: largest gain or loss of the response of a random channel, in dB.
      noise_share: largest power of the noise, as a share of the clip's mean power.
      telephone: share of the clips that get a telephone's band.
      masked_mels: as ``widest_mels`` of :func:`mask_bands`.
      masked_share: as ``longest_share`` of :func:`mask_bands`.

    Returns:
      f32 of the same shape, standardised, 0 where padded; and i32 ``[B]``, valid frames.

    >>> mel, frames = augment(jnp.zeros((2, 50, 64)), jnp.array([50, 0]), jax.random.key(0))
    >>> mel.shape, frames.tolist()
    ((2, 50, 64), [50, 0])
    """
    sizes = frequency_warp, tempo, colour_db, noise_share, telephone
    if any(sizes):
        # The masks use the keys with numbers below MASKS.
        keys = jax.random.split(jax.random.fold_in(key, MASKS), len(frames))
        mel, frames = jax.vmap(functools.partial(_distort, *sizes))(mel, frames, keys)
    mel = standardise(mel, frames)
    return mask_bands(mel, frames, key, masked_mels, masked_share), frames


def _distort(
    frequency_warp: float,
    tempo: float,
    colour_db: float,
    noise_share: float,
    telephone: float,
    mel: jax.Array,
    frames: jax.Array,
    key: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Distort the log-mel ``[F, ...]`` of one clip by the sizes of :func:`augment`."""
    keys = jax.random.split(key, 4)
    if frequency_warp:
        factor = _around_one(keys[0], frequency_warp)
        mel = on_mels(lambda own: warp_frequency(own, factor), mel)
    if tempo:
        mel, frames = change_tempo(mel, frames, _around_one(keys[1], tempo))
    if colour_db:
        curve = DB * colour_db * colour(keys[2], MELS)
        mel = on_mels(lambda own: own + curve, mel)
    if noise_share:
        mel = on_mels(lambda own: add_noise(own, frames, keys[3], noise_share), mel)
    if telephone:
        # The keys above have the numbers 0 to 3.
        through = jax.random.bernoulli(jax.random.fold_in(key, len(keys)), telephone)
        line = jnp.where(through, telephone_band(MELS), 0.0)
        mel = on_mels(lambda own: own + line, mel)
    return mel, frames


def _around_one(key: jax.Array, share: float) -> jax.Array:
    return jax.random.uniform(key, minval=1 - share, maxval=1 + share)


def warp_frequency(mel: jax.Array, factor: jax.Array | float) -> jax.Array:
    """Scale the frequencies of a clip by 1 / ``factor``: f32 ``[F, M]`` → ``[F, M]``.

    Each channel gets the value at ``factor`` times its frequency, interpolated between channels; at
    the ends the last channel is repeated. A factor above 1 corresponds to a longer vocal tract
    (Jaitly & Hinton, 2013).
    """
    mels = mel.shape[1]
    centres_hz = _centres_hz(mels)
    return _read(mel.T, jnp.interp(factor * centres_hz, centres_hz, np.arange(mels))).T


def _centres_hz(mels: int) -> np.ndarray:
    return mel_edges_hz(mels, SAMPLE_RATE_HZ / 2)[1:-1].astype(np.float32)


def change_tempo(
    mel: jax.Array, frames: jax.Array, factor: jax.Array | float
) -> tuple[jax.Array, jax.Array]:
    """Scale a clip's duration by ``factor``, and cut it to F frames.

    Args:
      mel: f32 ``[F, M]``.
      frames: i32 scalar, number of valid frames.
      factor: greater than 0.

    Returns:
      f32 ``[F, M]``, and the number of valid frames: at least 1, or 0 for a filler row.
    """
    length = len(mel)
    longer = jnp.clip(jnp.round(frames * factor), 1, length).astype(frames.dtype)
    position = jnp.minimum(jnp.arange(length) / factor, jnp.maximum(frames - 1, 0))
    return _read(mel, position), jnp.where(frames > 0, longer, 0)


def _read(rows: jax.Array, position: jax.Array) -> jax.Array:
    """Interpolate ``[N, ...]`` between its rows at the positions, from 0 to N - 1."""
    below = jnp.floor(position).astype(int)
    above = jnp.minimum(below + 1, len(rows) - 1)
    weight = (position - below)[:, None]
    return rows[below] * (1 - weight) + rows[above] * weight


def colour(key: jax.Array, mels: int) -> jax.Array:
    """Return the smooth response of a random channel: f32 ``[mels]``, within −1..1."""
    key_shape, key_size = jax.random.split(key)
    angle = np.pi * (np.arange(mels) + 0.5) / mels
    cosines = np.cos(np.arange(1, COLOURS + 1)[:, None] * angle).astype(np.float32)
    curve = jnp.sum(jax.random.normal(key_shape, (COLOURS, 1)) * cosines, axis=0)
    return jax.random.uniform(key_size) * curve / jnp.max(jnp.abs(curve))


def telephone_band(mels: int) -> np.ndarray:
    """Return the response of a telephone, 300 to 3,400 Hz: f32 ``[mels]``, log of power, at most 0.

    >>> (telephone_band(64) / DB).round()[[0, 5, 30, 50]].tolist()  # at 46, 278, 1571 and 4093 Hz
    [-32.0, -4.0, -0.0, -16.0]
    """
    (low_hz, high_hz), (low, high) = TELEPHONE_HZ, TELEPHONE_ORDERS
    centres_hz = _centres_hz(mels)
    below, above = low_hz / centres_hz, centres_hz / high_hz
    return -np.log1p(below ** (2 * low)) - np.log1p(above ** (2 * high))


def add_noise(mel: jax.Array, frames: jax.Array, key: jax.Array, share: float) -> jax.Array:
    """Add the power of random noise to a clip's log-mel ``[F, M]``.

    The level is uniform in dB, from ``share`` of the clip's mean power to 40 dB below, with a
    random tilt over the mel channels.
    """
    key_level, key_tilt, key_noise = jax.random.split(key, 3)
    valid = (jnp.arange(len(mel)) < frames)[:, None]
    count = jnp.maximum(frames, 1) * mel.shape[1]
    mean = jax.nn.logsumexp(mel, where=valid) - jnp.log(count)
    mean = jnp.where(frames > 0, mean, 0.0)  # a filler row has no mean
    level = mean + jnp.log(share) - DB * NOISE_RANGE_DB * jax.random.uniform(key_level)
    tilt = jax.random.uniform(key_tilt, minval=-1) * np.linspace(-1, 1, mel.shape[1])
    # The power of a bin of Gaussian noise is exponential; its logarithm is a negated Gumbel number.
    noise = level + DB * NOISE_TILT_DB * tilt - jax.random.gumbel(key_noise, mel.shape)
    return jnp.logaddexp(mel, noise)


def mask_bands(
    mel: jax.Array, frames: jax.Array, key: jax.Array, widest_mels: float, longest_share: float
) -> jax.Array:
    """Mask bands of mel channels and stretches of frames of each clip (SpecAugment).

    Park et al. (2019, arXiv:1904.08779), without time warping: two bands and two stretches, each of
    random width up to a limit and at a random place in the clip. Masked values become 0, the mean.

    Args:
      mel: f32 ``[B, F, M]`` or ``[B, F, M + 2]`` of :func:`emojax.audio.front_end.standardise`; the
        columns of the pitch are in no band.
      frames: i32 ``[B]``, number of valid frames of each clip.
      key: random key of this batch.
      widest_mels: largest width of a band, in channels; 0 masks no bands.
      longest_share: largest length of a stretch, as a share of the clip's frames; 0 masks none.

    Returns:
      f32 of the same shape.

    >>> mel, frames = jnp.ones((1, 50, 64)), jnp.array([50])
    >>> bool((mask_bands(mel, frames, jax.random.key(0), 0, 0) == mel).all())
    True
    """
    if not (widest_mels or longest_share):
        return mel
    _, length, columns = mel.shape
    mels = min(columns, MELS)
    for number in range(MASKS):
        key_mels, key_frames = jax.random.split(jax.random.fold_in(key, number))
        all_mels = jnp.full(frames.shape, mels)
        band = _inside(key_mels, all_mels, jnp.full(frames.shape, widest_mels), columns)
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
