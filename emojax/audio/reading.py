"""From an audio file, or an array, to mono samples at 16 kHz; a file that is no good raises, and says why."""

from __future__ import annotations

import operator
import os
import re
from pathlib import Path

import numpy as np
import soundfile
import soxr

SAMPLE_RATE_HZ = 16_000
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3")
MIN_DURATION_S = 0.1

_RATES_HZ = range(4_000, 384_001)
_MAX_CHANNELS = 64
# Decoders overshoot full scale by a few dB; only samples that nobody scaled to it reach four times.
_MAX_PEAK = 4.0
_FULL_SCALE = {"uint8": 2.0**7, "int16": 2.0**15, "int32": 2.0**31}
_BLOCK_SAMPLES = 2**20
# What an mp3 without a table of contents promises counts the tags at its end in.
_SLACK_S = 0.05
_OGG_PAGE_BYTES = 65_307
_OGG_LAST_PAGE = 0x04


class BadAudio(ValueError):  # noqa: N818 - it is not the program's error
    """A recording that cannot be used; the message is the reason."""


def read_audio(path: str | os.PathLike) -> np.ndarray:
    """Read a wav, flac, ogg, opus or mp3 file of any rate and number of channels.

    Returns:
      float32 ``[n]``, mono, 16 kHz, in −1..1; what was 16 kHz mono int16 is kept to the bit.

    Raises:
      BadAudio: for a file that is missing, empty, truncated, undecodable, not finite, silent, or too short.
    """
    samples, sample_rate_hz = _decode(Path(path))
    mono = samples.mean(axis=1)
    check_audible(mono, sample_rate_hz)
    try:
        return to_mono_16khz(mono, sample_rate_hz)
    except ValueError as error:
        raise BadAudio(str(error)) from None


def to_mono_16khz(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Mix channels down to their mean and resample (soxr, HQ).

    Args:
      samples: ``[n]`` or ``[n, channels]``; float in −1..1, or int16, int32, uint8 at full scale.
      sample_rate_hz: the rate they were recorded at.

    Returns:
      float32 ``[n]``, mono, 16 kHz, in −1..1.

    Raises:
      ValueError: for a rate, shape, dtype or value outside these, with what is allowed and how to mend it.

    >>> to_mono_16khz(np.zeros((8000, 2), np.int16), 8000).shape
    (16000,)
    """
    rate_hz = _check_rate(sample_rate_hz)
    samples = np.asarray(samples)
    _check_shape(samples.shape)
    mono = _as_float(samples).reshape(len(samples), -1).mean(axis=1)
    _check_values(mono)
    if rate_hz != SAMPLE_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    return np.clip(mono, -1.0, 1.0)


def to_pcm16(samples: np.ndarray) -> np.ndarray:
    """Float samples in −1..1 as int16: the inverse of dividing by 32768.

    >>> to_pcm16(np.array([-1.0, 0.5, 1.0])).tolist()
    [-32768, 16384, 32767]
    """
    return np.clip(np.round(samples * 2.0**15), -(2**15), 2**15 - 1).astype(np.int16)


def check_audible(mono: np.ndarray, sample_rate_hz: int) -> None:
    """Raise BadAudio unless the samples ``[n]`` are finite, not all equal, and at least 0.1 s long."""
    duration_s = len(mono) / sample_rate_hz
    if not len(mono):
        raise BadAudio("empty: no samples")
    if not np.isfinite(mono).all():
        raise BadAudio("not finite: NaN or infinite samples")
    if duration_s < MIN_DURATION_S:
        raise BadAudio(f"too short: {duration_s:.3f} s, at least {MIN_DURATION_S} s needed")
    if mono.min() == mono.max():
        raise BadAudio("silent: all samples are equal")


class _Stream(soundfile.SoundFile):
    """A file read from front to back, so that no length in its header is believed."""

    def seekable(self) -> bool:
        return False


def _decode(path: Path) -> tuple[np.ndarray, int]:
    """All samples of a file, float32 ``[n, channels]``, and their rate in Hz."""
    try:
        _check_file(path)
        with _Stream(os.fsencode(path)) as stream:
            _check_wav_is_whole(stream.extra_info, path.stat().st_size)
            samples = _read_blocks(stream)
            # A live stream promises no length; libsndfile then reports the largest integer.
            promised = stream.frames if stream.frames < 2**62 else 0
    except OSError as error:
        raise BadAudio(f"unreadable: {error.strerror}") from None
    except (soundfile.SoundFileError, TypeError) as error:
        raise BadAudio(f"undecodable: {_one_line(error)}") from None
    if promised - len(samples) > _SLACK_S * stream.samplerate:
        raise BadAudio(f"truncated: {len(samples)} of {promised} samples")
    return samples, stream.samplerate


def _read_blocks(stream: _Stream) -> np.ndarray:
    frames = _BLOCK_SAMPLES // stream.channels
    blocks = [stream.read(frames, dtype="float32", always_2d=True)]
    while len(blocks[-1]) == frames:
        blocks.append(stream.read(frames, dtype="float32", always_2d=True))
    return np.concatenate(blocks)


def _check_file(path: Path) -> None:
    """Refuse what is no file, holds nothing, or is an Ogg stream without its last page."""
    if not os.path.isfile(path):
        raise BadAudio("not a file" if os.path.exists(path) else "no such file")
    size = path.stat().st_size
    if not size:
        raise BadAudio("empty: 0 bytes")
    with open(path, "rb") as file:
        if file.read(4) != b"OggS":
            return
        file.seek(max(0, size - _OGG_PAGE_BYTES))
        tail = file.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    segments = page[27 : 27 + page[26]] if len(page) > 27 else b""
    if not segments or not page[5] & _OGG_LAST_PAGE or len(page) < 27 + len(segments) + sum(segments):
        raise BadAudio("truncated: the Ogg stream has no last page")


def _check_wav_is_whole(log: str, file_bytes: int) -> None:
    """Refuse a wav whose data chunk is larger than the file, unless a pipe left the size open.

    Some writers count the header in, so only a chunk larger than the whole file is proof.
    """
    match = re.search(r"^data : (\d+) \(should be", log, re.MULTILINE)
    promised = int(match[1]) if match else 0
    if file_bytes < promised < 0x7FFF0000:
        raise BadAudio(f"truncated: {file_bytes} of {promised} bytes")


def _one_line(error: Exception) -> str:
    return str(error).splitlines()[0].rsplit(": ", 1)[-1].rstrip(".")


def _check_rate(sample_rate_hz: int) -> int:
    try:
        rate_hz = operator.index(sample_rate_hz)
    except TypeError:
        rate_hz = 0
    if rate_hz not in _RATES_HZ:
        raise ValueError(
            f"sample rate {sample_rate_hz!r}: give an integer from {_RATES_HZ[0]} to {_RATES_HZ[-1]} Hz, "
            "the rate the samples were recorded at"
        )
    return rate_hz


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) not in (1, 2) or 0 in shape or (len(shape) == 2 and shape[1] > _MAX_CHANNELS):
        raise ValueError(
            f"samples of shape {list(shape)}: give [n] or [n, channels] with n > 0 and at most "
            f"{_MAX_CHANNELS} channels; transpose [channels, n], and pass the clips of a batch one by one"
        )


def _as_float(samples: np.ndarray) -> np.ndarray:
    """Samples at full scale as float32 in −1..1."""
    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return samples.astype(np.float32)
    if samples.dtype.name not in _FULL_SCALE:
        raise ValueError(
            f"dtype {samples.dtype}: give float in −1..1, or {', '.join(_FULL_SCALE)} at full scale"
        )
    full_scale = np.float32(_FULL_SCALE[samples.dtype.name])
    offset = full_scale if samples.dtype.kind == "u" else np.float32(0)
    return (samples.astype(np.float32) - offset) / full_scale


def _check_values(mono: np.ndarray) -> None:
    if not np.isfinite(mono).all():
        raise ValueError(
            f"{np.count_nonzero(~np.isfinite(mono))} of {len(mono)} samples are NaN or infinite: "
            "give finite samples; np.nan_to_num replaces them if silence there is right"
        )
    if np.abs(mono).max() > _MAX_PEAK:
        raise ValueError(
            f"float samples reach {np.abs(mono).max():g}: give −1..1; divide what was int16 by 32768"
        )
