"""From an audio file, or an array, to mono samples at 16 kHz; a file that is no good raises, and says why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emojax.audio.conversion import SAMPLE_RATE_HZ, Conversion, check_rate, convert, exhaust, scaled
from emojax.audio.decoding import BLOCK_SAMPLES, Block, decode
from emojax.audio.mixing import Levels
from emojax.audio.pieces import BadAudio, TooLong

__all__ = [
    "SAMPLE_RATE_HZ",
    "BadAudio",
    "TooLong",
    "read_audio",
    "read_blocks",
    "to_mono_16khz",
    "to_pcm16",
]

SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")
MIN_DURATION_S = 0.1
# What is read whole takes 230 MB an hour; what is read in blocks takes time only.
MAX_WHOLE_S = 3 * 3600
MAX_BLOCKS_S = 24 * 3600

_MAX_CHANNELS = 64
# Decoders overshoot full scale by a few dB; only samples that nobody scaled to it reach four times.
_MAX_PEAK = 4.0
_FULL_SCALE = {"uint8": 2.0**7, "int16": 2.0**15, "int32": 2.0**31}


def read_audio(path: str | os.PathLike) -> np.ndarray:
    """Read a wav, flac, ogg, opus or mp3 file of any rate and number of channels.

    Channels are mixed as :func:`to_mono_16khz` does. Other containers are read where PyAV or ffmpeg
    is there.

    Returns:
      float32 ``[n]``, mono, 16 kHz, in −1..1; what was 16 kHz mono int16 is kept to the bit.

    Raises:
      BadAudio: for a file that is missing, empty, truncated, undecodable, not finite, silent, too
        short, or (TooLong) longer than three hours, which :func:`read_blocks` is for.
    """
    samples, done = convert(lambda: decode(Path(path), MAX_WHOLE_S))
    _check_recording(done)
    return samples


def read_blocks(path: str | os.PathLike) -> Iterator[np.ndarray]:
    """Read a recording of any length block by block; joined, they are what :func:`read_audio` returns.

    The file is decoded twice: what is wrong with it, how its channels mix and its peak are known at
    the end.

    Returns:
      float32 ``[n]`` each, mono, 16 kHz, in −1..1.

    Raises:
      BadAudio: before the first block, as :func:`read_audio`; the longest is a day.
    """
    survey = Conversion()
    exhaust(survey.blocks(decode(Path(path), MAX_BLOCKS_S)))
    if survey.channel_instead is not None:
        survey = Conversion(survey.channel_instead)
        exhaust(survey.blocks(decode(Path(path), MAX_BLOCKS_S)))
    _check_recording(survey)
    again = Conversion(survey.channel)
    return (scaled(block, survey.peak) for block in again.blocks(decode(Path(path), MAX_BLOCKS_S)))


def to_mono_16khz(samples: np.ndarray, sample_rate_hz: float) -> np.ndarray:
    """Mix channels down to their mean and resample (soxr, HQ).

    Channels that cancel each other give the loudest of them, and a peak above full scale scales all
    samples.

    Args:
      samples: ``[n]`` or ``[n, channels]``; float in −1..1, or int16, int32, uint8 at full scale.
      sample_rate_hz: the rate they were recorded at.

    Returns:
      float32 ``[n]``, mono, 16 kHz, in −1..1.

    Raises:
      ValueError: for a rate, shape, dtype or value outside these, with what is allowed and how to
        mend it.

    >>> to_mono_16khz(np.zeros((8000, 2), np.int16), 8000).shape
    (16000,)
    """
    rate_hz = check_rate(sample_rate_hz)
    samples = np.asarray(samples)
    _check_shape(samples.shape)
    _check_dtype(samples.dtype)
    channels = samples.reshape(len(samples), -1)
    mono, done = convert(lambda: _array_blocks(channels, rate_hz))
    if done.levels.not_finite:
        raise ValueError(
            f"{done.levels.not_finite} of {len(samples)} samples are NaN or infinite: "
            "give finite samples; np.nan_to_num replaces them if silence there is right"
        )
    _check_peak(done.levels)
    return mono


def to_pcm16(samples: np.ndarray) -> np.ndarray:
    """Float samples in −1..1 as int16: the inverse of dividing by 32768.

    >>> to_pcm16(np.array([-1.0, 0.5, 1.0])).tolist()
    [-32768, 16384, 32767]
    """
    scaled = samples * 2.0**15
    return np.clip(np.round(scaled, out=scaled), -(2**15), 2**15 - 1, out=scaled).astype(np.int16)


def check_audible(mono: np.ndarray, sample_rate_hz: int) -> None:
    """Raise BadAudio unless the samples ``[n]`` are finite, not all equal, and at least 0.1 s long."""
    levels = Levels()
    levels.add(mono)
    _check_levels(levels, sample_rate_hz)


def _array_blocks(samples: np.ndarray, rate_hz: int) -> Iterator[Block]:
    rows = BLOCK_SAMPLES // samples.shape[1]
    for start in range(0, len(samples), rows):
        yield _as_float(samples[start : start + rows]), rate_hz


def _check_recording(done: Conversion) -> None:
    """Raise BadAudio for what is no recording."""
    _check_levels(done.levels, done.rate_hz)
    _check_peak(done.levels)


def _check_levels(levels: Levels, sample_rate_hz: int) -> None:
    if not levels.samples:
        raise BadAudio("empty: no samples")
    duration_s = levels.samples / sample_rate_hz
    if levels.not_finite:
        raise BadAudio("not finite: NaN or infinite samples")
    if duration_s < MIN_DURATION_S:
        raise BadAudio(f"too short: {duration_s:.3f} s, at least {MIN_DURATION_S} s needed")
    if levels.low == levels.high:
        raise BadAudio("silent: all samples are equal")


def _check_peak(levels: Levels) -> None:
    if levels.peak > _MAX_PEAK:
        raise BadAudio(
            f"float samples reach {levels.peak:g}: give −1..1; divide what was int16 by 32768"
        )


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) not in (1, 2) or 0 in shape or (len(shape) == 2 and shape[1] > _MAX_CHANNELS):
        raise ValueError(
            f"samples of shape {list(shape)}: give [n] or [n, channels] with n > 0 and at most "
            f"{_MAX_CHANNELS} channels; transpose [channels, n], and pass the clips of a batch one by one"
        )


def _check_dtype(dtype: np.dtype) -> None:
    if dtype.kind != "f" and dtype.name not in _FULL_SCALE:
        raise ValueError(
            f"dtype {dtype}: give float in −1..1, or {', '.join(_FULL_SCALE)} at full scale"
        )


def _as_float(samples: np.ndarray) -> np.ndarray:
    """Samples at full scale as float32 in −1..1."""
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return samples.astype(np.float32)
    full_scale = np.float32(_FULL_SCALE[samples.dtype.name])
    offset = full_scale if samples.dtype.kind == "u" else np.float32(0)
    return (samples.astype(np.float32) - offset) / full_scale
