"""Reading of audio files and arrays as 16 kHz mono; unusable ones raise a clear error."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emojax.audio.conversion import SAMPLE_RATE_HZ, Conversion, check_rate, convert, scaled
from emojax.audio.decoding import BLOCK_SAMPLES, Block, decode
from emojax.audio.mixing import Levels
from emojax.audio.pieces import BadAudio, Silent, TooLong

__all__ = [
    "SAMPLE_RATE_HZ",
    "BadAudio",
    "Recording",
    "Silent",
    "TooLong",
    "count_channels",
    "read_array",
    "read_audio",
    "read_blocks",
    "survey",
    "to_mono_16khz",
    "to_pcm16",
]

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")
MIN_DURATION_S = 0.1
# Reading a recording at once takes 230 MB per hour; reading it in blocks takes constant memory.
MAX_WHOLE_S = 3 * 3600
MAX_BLOCKS_S = 24 * 3600

_MAX_CHANNELS = 64
# Decoders exceed full scale by a few dB; with a peak above 4 the samples are not scaled.
_MAX_PEAK = 4.0
_EMPTY = "empty: no samples"
_FULL_SCALE = {"uint8": 2.0**7, "int16": 2.0**15, "int32": 2.0**31}


def read_audio(path: str | os.PathLike, longest_s: float | None = None) -> np.ndarray:
    """Read a wav, flac, ogg, opus or mp3 file of any rate and number of channels.

    Channels are mixed as in :func:`to_mono_16khz`. Other containers need PyAV or ffmpeg.

    Returns:
      float32 ``[n]``, mono, 16 kHz, in −1..1; exact for files of 16 kHz mono int16.

    Raises:
      BadAudio: the file is missing, empty, truncated, undecodable, not finite, silent, too short,
        or (TooLong) longer than ``longest_s``, three hours if not given; :func:`read_blocks` reads
        longer ones.
    """
    samples, done = convert(lambda: decode(Path(path), longest_s or MAX_WHOLE_S))
    _check_recording(done)
    return samples


def read_blocks(path: str | os.PathLike) -> Iterator[np.ndarray]:
    """Read a recording of any length in blocks, with the same samples as :func:`read_audio`.

    The file is decoded twice: the first pass finds errors, the channels to mix and the peak.

    Returns:
      Blocks of float32 ``[n]``, mono, 16 kHz, in −1..1.

    Raises:
      BadAudio: as in :func:`read_audio`, before the first block; the limit is one day.
    """
    return survey(path).blocks()


@dataclasses.dataclass(frozen=True)
class Recording:
    """Recording of any length that can be read in blocks several times.

    Attributes:
      path: path of the file.
      channel: number of the only channel to read, from 0; None for the mean of all.
      samples: number of samples at 16 kHz.
      peak: largest absolute value before scaling.
    """

    path: Path
    channel: int | None
    samples: int
    peak: float

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield float32 ``[n]``, mono, 16 kHz, in −1..1."""
        decoded = decode(self.path, MAX_BLOCKS_S)
        return (scaled(block, self.peak) for block in Conversion(self.channel).blocks(decoded))


def survey(path: str | os.PathLike, channel: int | None = None) -> Recording:
    """Decode a recording once, to find its errors, length and peak, and the channels to mix.

    Args:
      path: as for :func:`read_blocks`.
      channel: number of the only channel to read, from 0; None mixes all.

    Raises:
      BadAudio: as in :func:`read_blocks`.
    """
    done = Conversion(channel)
    for _ in done.blocks(decode(Path(path), MAX_BLOCKS_S)):
        pass  # the pass updates ``done``
    if done.channel_instead is not None:
        return survey(path, done.channel_instead)
    _check_recording(done)
    return Recording(Path(path), channel, done.samples, done.peak)


def count_channels(path: str | os.PathLike) -> int:
    """Return the number of channels of a recording; BadAudio if its first samples are unusable."""
    for block, _ in decode(Path(path), MAX_BLOCKS_S):
        return block.shape[1]
    raise BadAudio(_EMPTY)


def to_mono_16khz(samples: np.ndarray, sample_rate_hz: float) -> np.ndarray:
    """Mix channels to their mean and resample (soxr, HQ).

    If the channels cancel, the loudest one is used. If the peak exceeds full scale, all samples are
    scaled down.

    Args:
      samples: ``[n]`` or ``[n, channels]``; float in −1..1, or int16, int32, uint8 at full scale.
      sample_rate_hz: rate of the samples.

    Returns:
      float32 ``[n]``, mono, 16 kHz, in −1..1.

    Raises:
      ValueError: a wrong rate, shape, dtype or value; the message has the allowed ones.

    >>> to_mono_16khz(np.zeros((8000, 2), np.int16), 8000).shape
    (16000,)
    """
    return _converted(samples, sample_rate_hz)[0]


def read_array(samples: np.ndarray, sample_rate_hz: float) -> np.ndarray:
    """Convert samples as :func:`to_mono_16khz` does, and refuse what :func:`read_audio` refuses.

    Raises:
      ValueError: as in :func:`to_mono_16khz`, or the samples are all equal or less than 0.1 s.
    """
    mono, done = _converted(samples, sample_rate_hz)
    _check_levels(done.levels, done.rate_hz)
    return mono


def _converted(samples: np.ndarray, sample_rate_hz: float) -> tuple[np.ndarray, Conversion]:
    rate_hz = check_rate(sample_rate_hz)
    samples = np.asarray(samples)
    channels = _checked(samples)
    mono, done = convert(lambda: _array_blocks(channels, rate_hz))
    if done.levels.not_finite:
        raise ValueError(
            f"{done.levels.not_finite} of {len(samples)} samples are NaN or infinite: "
            "give finite samples; np.nan_to_num replaces them if silence there is right"
        )
    _check_peak(done.levels)
    return mono, done


def to_pcm16(samples: np.ndarray) -> np.ndarray:
    """Convert float samples in −1..1 to int16: the inverse of dividing by 32768.

    >>> to_pcm16(np.array([-1.0, 0.5, 1.0])).tolist()
    [-32768, 16384, 32767]
    """
    scaled = samples * 2.0**15
    return np.clip(np.round(scaled, out=scaled), -(2**15), 2**15 - 1, out=scaled).astype(np.int16)


def check_samples(samples: np.ndarray) -> np.ndarray:
    """Return the samples of a block as float32 ``[n, channels]`` in −1..1.

    Args:
      samples: as for :func:`to_mono_16khz`.

    Raises:
      ValueError: a wrong shape, dtype or value; the message says what is allowed.

    >>> check_samples(np.array([-(2**15), 2**14], np.int16)).tolist()
    [[-1.0], [0.5]]
    """
    scaled = _as_float(_checked(np.asarray(samples)))
    levels = Levels()
    levels.add(scaled)
    if levels.not_finite:
        raise ValueError(f"{levels.not_finite} of {scaled.size} samples are NaN or infinite")
    _check_peak(levels)
    return scaled


def check_audible(mono: np.ndarray, sample_rate_hz: int) -> None:
    """Raise BadAudio unless the samples ``[n]`` are finite, not all equal and at least 0.1 s."""
    levels = Levels()
    levels.add(mono)
    _check_levels(levels, sample_rate_hz)


def _checked(samples: np.ndarray) -> np.ndarray:
    """Return samples as ``[n, channels]``, of a shape and dtype that can be converted."""
    _check_shape(samples.shape)
    _check_dtype(samples.dtype)
    return samples.reshape(len(samples), -1)


def _array_blocks(samples: np.ndarray, rate_hz: int) -> Iterator[Block]:
    rows = BLOCK_SAMPLES // samples.shape[1]
    for start in range(0, len(samples), rows):
        yield _as_float(samples[start : start + rows]), rate_hz


def _check_recording(done: Conversion) -> None:
    """Raise BadAudio for samples that are not a recording."""
    _check_levels(done.levels, done.rate_hz)
    _check_peak(done.levels)


def _check_levels(levels: Levels, sample_rate_hz: int) -> None:
    if not levels.samples:
        raise BadAudio(_EMPTY)
    duration_s = levels.samples / sample_rate_hz
    if levels.not_finite:
        raise BadAudio("not finite: NaN or infinite samples")
    if duration_s < MIN_DURATION_S:
        raise BadAudio(f"too short: {duration_s:.3f} s, at least {MIN_DURATION_S} s needed")
    if levels.low == levels.high:
        raise Silent("silent: all samples are equal")


def _check_peak(levels: Levels) -> None:
    if levels.peak > _MAX_PEAK:
        raise BadAudio(
            f"float samples reach {levels.peak:g}: give −1..1; divide what was int16 by 32768"
        )


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) not in (1, 2) or 0 in shape or (len(shape) == 2 and shape[1] > _MAX_CHANNELS):
        raise ValueError(
            f"samples of shape {list(shape)}: give [n] or [n, channels] with n > 0 and at most "
            f"{_MAX_CHANNELS} channels; transpose [channels, n], and pass the clips of a batch "
            "one by one"
        )


def _check_dtype(dtype: np.dtype) -> None:
    if dtype.kind != "f" and dtype.name not in _FULL_SCALE:
        raise ValueError(
            f"dtype {dtype}: give float in −1..1, or {', '.join(_FULL_SCALE)} at full scale"
        )


def _as_float(samples: np.ndarray) -> np.ndarray:
    """Convert samples at full scale to float32 in −1..1."""
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return samples.astype(np.float32)
    full_scale = np.float32(_FULL_SCALE[samples.dtype.name])
    offset = full_scale if samples.dtype.kind == "u" else np.float32(0)
    return (samples.astype(np.float32) - offset) / full_scale
