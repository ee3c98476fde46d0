"""Decoder of audio files: recognises the format and yields blocks of bounded size."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from emojax.audio import containers, formats
from emojax.audio.pieces import BadAudio, Piece, PieceReader, TooLong
from emojax.files import printable

Block = tuple[np.ndarray, int]
"""Float32 samples ``[n, channels]`` and their rate in Hz."""

# Half a megabyte, which fits into the cache of a processor.
BLOCK_SAMPLES = 2**17

# Largest number of samples per second, over all channels, of a recording as long as the limit:
# eight channels at 48 kHz.
_MAX_SAMPLES_PER_S = 384_000
# Decoders drop a few samples at the ends.
_SLACK_S = 0.05


class _Stream(soundfile.SoundFile):
    """File without seeking, so that libsndfile ignores the length in its header."""

    def seekable(self) -> bool:
        return False


def decode(path: Path, limit_s: float) -> Iterator[Block]:
    """Yield the samples of a file, all with one rate and channel count.

    Args:
      path: path of the file; its suffix does not matter.
      limit_s: longest recording that is decoded, which bounds time and memory.

    Raises:
      BadAudio: the file is missing, unreadable, of another format, truncated, damaged, or too long.
    """
    try:
        _check_file(path)
        with open(path, "rb") as file:
            yield from _bounded(_blocks(file, path, limit_s), limit_s)
    except OSError as error:
        raise BadAudio(f"unreadable: {error.strerror}") from None
    except soundfile.SoundFileError as error:
        raise BadAudio(f"undecodable: {_one_line(error)}") from None


def _check_file(path: Path) -> None:
    """Refuse anything but a regular file; opening a pipe would wait for its writer."""
    if not os.path.isfile(path):
        raise BadAudio("not a file" if os.path.lexists(path) else "no such file")
    if not path.stat().st_size:
        raise BadAudio("empty: 0 bytes")


def _blocks(file: BinaryIO, path: Path, limit_s: float) -> Iterator[Block]:
    size = os.fstat(file.fileno()).st_size
    found = formats.recognise(file, size)
    if found.pieces is None:
        yield from containers.decode(path, found.name, found.demuxer)
        return
    shape = None
    for piece in found.pieces(file, found.start, size):
        for block, rate_hz in _piece_blocks(file, piece, size, limit_s):
            if shape not in (None, (block.shape[1], rate_hz)):
                raise BadAudio(
                    "undecodable: joined recordings of different rates or channels; split them"
                )
            shape = block.shape[1], rate_hz
            yield block, rate_hz


def _piece_blocks(file: BinaryIO, piece: Piece, size: int, limit_s: float) -> Iterator[Block]:
    """Yield the blocks of one piece; BadAudio at the end if samples are missing."""
    source: int | PieceReader = PieceReader(file, piece)
    if piece == Piece(0, size):  # libsndfile is faster if it reads the file itself.
        source = file.fileno()
        os.lseek(source, 0, os.SEEK_SET)
    with _Stream(source, closefd=False) as stream:
        # A live stream promises no length; libsndfile then reports the largest integer.
        promised = piece.samples or (stream.frames if stream.frames < 2**62 else 0)
        _check_duration(promised, stream.channels, stream.samplerate, limit_s)
        rows = BLOCK_SAMPLES // stream.channels
        count = rows
        samples = 0
        while count == rows:
            block = stream.read(rows, dtype="float32", always_2d=True)
            count = len(block)
            samples += count
            yield block, stream.samplerate
        if promised - samples > _SLACK_S * stream.samplerate:
            raise BadAudio(f"truncated: {samples} of {promised} samples")


def _bounded(blocks: Iterator[Block], limit_s: float) -> Iterator[Block]:
    samples = 0
    for block, rate_hz in blocks:
        samples += len(block)
        _check_duration(samples, block.shape[1], rate_hz, limit_s)
        yield block, rate_hz


def _check_duration(samples: int, channels: int, rate_hz: int, limit_s: float) -> None:
    if samples > limit_s * rate_hz or samples * channels > limit_s * _MAX_SAMPLES_PER_S:
        raise TooLong(
            f"too long: {samples / rate_hz / 3600:.1f} h of {channels} channels at {rate_hz} Hz, "
            f"at most {limit_s / 3600:.0f} h are read; cut it into shorter files"
        )


def _one_line(error: Exception) -> str:
    return printable(str(error).splitlines()[0].rsplit(": ", 1)[-1].rstrip("."))
