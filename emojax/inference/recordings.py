"""Recordings in all given forms: files, bytes, open files, or samples with their rate."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import numpy as np

from emojax.audio.reading import (
    BadAudio,
    TooLong,
    read_array,
    read_audio,
    read_blocks,
    to_pcm16,
)
from emojax.data.batches import split_clip, split_stream
from emojax.files import printable, size_in_words
from emojax.inference.predict import WINDOW_SAMPLES

Audio = str | os.PathLike | bytes | BinaryIO | np.ndarray
Recording = Audio | tuple[np.ndarray, float]
FILES = (str, os.PathLike, bytes, bytearray)
# Samples to read before they are predicted: 256 MB.
_SAMPLES_AT_ONCE = 2**26
_MAX_BYTES = 2**30


def as_pairs(audios: Iterable[Recording]) -> list[tuple[Audio, float | None]]:
    """Return each recording with its sample rate, None for a file.

    Raises:
      ValueError: there is one recording instead of a list, or a tuple is not a pair.
    """
    if is_one_recording(audios):
        raise ValueError(
            f"got one {type(audios).__name__}; give a list of recordings, or use predict"
        )
    pairs: list[tuple[Audio, float | None]] = []
    for audio in audios:
        pair = audio if isinstance(audio, tuple) else (audio, None)
        if len(pair) != 2:
            raise ValueError(
                f"number {len(pairs)} is a tuple of {len(pair)}; give samples as pairs (samples, "
                "sample_rate_hz)"
            )
        pairs.append(pair)
    return pairs


def is_one_recording(audios: Any) -> bool:
    """Return whether something is a file or an array of samples, and no list of recordings.

    >>> is_one_recording(np.zeros(16_000)), is_one_recording(np.array(["a.wav", "b.wav"]))
    (True, False)
    """
    if hasattr(audios, "__array__"):
        array = np.asarray(audios)
        return array.dtype.kind in "biufc" and array.size > 0
    return isinstance(audios, FILES) or hasattr(audios, "read")


def random_windows(
    pairs: Sequence[tuple[Audio, float | None]], skip_errors: bool = False
) -> Iterator[np.ndarray]:
    """Yield the windows of recordings in random order; at the end, raise errors of bad ones."""
    errors: dict[int, ValueError] = {}
    for place in np.random.default_rng(0).permutation(len(pairs)):
        try:
            yield from windows_of(*pairs[place])
        except ValueError as error:
            errors[int(place)] = error
    if errors and not skip_errors:
        raise ValueError(in_words(errors, len(pairs)))


def read_clips(audios: Iterable[Recording]) -> list[np.ndarray]:
    """Read recordings as int16 ``[n]`` at 16 kHz, like the clips of a prepared corpus.

    Raises:
      ValueError: some cannot be used; the message names all of them.
    """
    pairs = as_pairs(audios)
    errors: dict[int, ValueError] = {}
    clips = [to_pcm16(clip) for _, some in readable(pairs, errors) for clip in some]
    if errors:
        raise ValueError(in_words(errors, len(pairs)))
    return clips


def in_words(errors: Mapping[int, ValueError], count: int) -> str:
    """Describe the errors of some of ``count`` recordings; the keys are indices.

    >>> in_words({1: ValueError("silent")}, 3)
    '1 of 3 recordings cannot be used: number 1: silent'
    """
    listed = "; ".join(f"number {place}: {errors[place]}" for place in sorted(errors))
    return f"{len(errors)} of {count} recordings cannot be used: {listed}"


def windows_of(audio: Audio, sample_rate_hz: float | None) -> Iterator[np.ndarray]:
    """Yield the windows of a recording of any length."""
    if hasattr(audio, "read"):
        audio = content(audio)
    try:
        yield from split_clip(read_samples(audio, sample_rate_hz), WINDOW_SAMPLES)
    except TooLong:
        with on_disk(audio) as path:
            yield from split_stream(read_blocks(path), WINDOW_SAMPLES)


def readable(
    pairs: Sequence[tuple[Audio, float | None]], errors: dict[int, ValueError]
) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """Yield the usable recordings and their indices in groups; store the errors of the others."""
    places: list[int] = []
    clips: list[np.ndarray] = []
    for place, (audio, sample_rate_hz) in enumerate(pairs):
        try:
            clips.append(read_samples(audio, sample_rate_hz))
            places.append(place)
        except ValueError as error:
            errors[place] = error
        if sum(map(len, clips)) > _SAMPLES_AT_ONCE:
            yield places, clips
            places, clips = [], []
    if clips:
        yield places, clips


def read_samples(audio: Audio, sample_rate_hz: float | None) -> np.ndarray:
    """Read a file, or convert samples, to float32 ``[n]`` at 16 kHz.

    Raises:
      ValueError: the audio cannot be used, or (TooLong) does not fit into memory.
    """
    if isinstance(audio, FILES) or hasattr(audio, "read"):
        if sample_rate_hz is not None:
            raise ValueError(
                f"sample_rate_hz={sample_rate_hz} beside a file; leave it out, a file knows its "
                "own rate"
            )
        with on_disk(audio) as path:
            try:
                return read_audio(path)
            except TooLong:
                raise
            except BadAudio as error:
                raise ValueError(f"{_name(audio)}: {error}") from error
    if sample_rate_hz is None:
        raise ValueError(
            f"got {type(audio).__name__} without sample_rate_hz; give a path, or samples and their "
            "rate: predict(samples, sample_rate_hz)"
        )
    return read_array(audio, sample_rate_hz)


def _name(audio: Any) -> str:
    is_path = isinstance(audio, (str, os.PathLike))
    return printable(os.fsdecode(audio)) if is_path else type(audio).__name__


@contextlib.contextmanager
def on_disk(audio: Any) -> Iterator[str | os.PathLike]:
    """Yield the path of a file; bytes and open files are first copied to a temporary file."""
    if isinstance(audio, (str, os.PathLike)):
        yield audio
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(content(audio) if hasattr(audio, "read") else audio)
        file.flush()
        yield file.name


def content(file: Any) -> bytes:
    """Read the bytes of an open file."""
    found = file.read(_MAX_BYTES + 1)
    if not isinstance(found, (bytes, bytearray)):
        kind = type(found).__name__
        raise ValueError(f"a file that gives {kind}; open it in binary mode: open(path, 'rb')")
    if len(found) > _MAX_BYTES:
        raise ValueError(
            f"more than {size_in_words(_MAX_BYTES)} in memory; give the path of the file"
        )
    return bytes(found)
