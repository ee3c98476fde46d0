"""Position of the samples of a wav, even if the sizes in its headers are wrong."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from emojax.audio import mpeg
from emojax.audio.pieces import BadAudio, Piece, bytes_at, find

_ORDERS = {b"RIFF": "<", b"RF64": "<", b"RIFX": ">"}
_UNKNOWN_BYTES = 0xFFFFFFFF
_MPEG_LAYER_3 = 0x55
_MAX_CHUNKS = 1000
_MAX_SETTINGS_BYTES = 4096
# So little after the samples is padding or a tag, and no other recording.
_SLACK_S, _SLACK_BYTES = 0.05, 256


class _Header(NamedTuple):
    """Header of the samples; ``promised`` is their size in bytes according to the file."""

    order: str
    settings: bytes
    start: int
    promised: int

    @property
    def codec(self) -> int:
        return struct.unpack_from(self.order + "H", self.settings)[0]

    @property
    def slack_bytes(self) -> float:
        return max(
            _SLACK_BYTES, _SLACK_S * struct.unpack_from(self.order + "I", self.settings, 8)[0]
        )


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int


def is_wav(head: bytes) -> bool:
    """Return whether the first 12 bytes of a file are those of a wav."""
    return head[:4] in _ORDERS and head[8:12] == b"WAVE"


def pieces(file: BinaryIO, start: int, stop: int) -> list[Piece]:
    """Return the recordings of a wav: one, or several if files were joined.

    Raises:
      BadAudio: the file has fewer or more samples than its header says.
    """
    found: list[Piece] = []
    position, as_it_is = start, False
    while position < stop:
        header = _header(file, position, stop)
        if header is None:
            return [*found, Piece(position, stop)]  # The decoder raises an error for it.
        end = _end(file, header, position, stop)
        position = _next(file, header, end, stop)
        found += _recording(file, header, end)
        as_it_is = 0 < header.promised < stop and header.codec != _MPEG_LAYER_3
    return [Piece(start, stop)] if as_it_is and len(found) == 1 else found


def _header(file: BinaryIO, start: int, stop: int) -> _Header | None:
    magic = bytes_at(file, start, 4)
    settings, promised_long = b"", 0
    for chunk in _chunks(file, start + 12, stop, _ORDERS[magic]):
        if chunk.name == b"fmt ":
            settings = bytes_at(file, chunk.start, min(chunk.size, _MAX_SETTINGS_BYTES))
        elif chunk.name == b"ds64":
            promised_long = int.from_bytes(bytes_at(file, chunk.start + 8, 8), "little")
        elif chunk.name == b"data" and len(settings) >= 16:
            long = magic == b"RF64" and chunk.size == _UNKNOWN_BYTES
            return _Header(
                _ORDERS[magic], settings, chunk.start, promised_long if long else chunk.size
            )
    return None


def _end(file: BinaryIO, header: _Header, start: int, stop: int) -> int:
    """Return the end of the samples, even if the header leaves their size open."""
    end = header.start + header.promised
    if end <= stop and (header.promised or _after_chunks(file, header, end, stop) == stop):
        return end
    if _is_open(header.promised):
        following = find(file, b"WAVEfmt ", header.start, stop)
        return following - 8 if following >= 0 else stop
    # Some writers count the header too, so only a size above that of the file is an error.
    if header.promised > stop - start:
        raise BadAudio(f"truncated: {stop - start} of {header.promised} bytes")
    return stop


def _is_open(promised: int) -> bool:
    """Return whether a size is a placeholder: zero or a large round number.

    >>> [_is_open(size) for size in (0, 0xFFFFFFFF, 0x7FFFF000, 2_000_000_000, 1_234_567_890)]
    [True, True, True, True, False]
    """
    near_binary = (promised + 2**16) % 2**30 < 2**17
    near_decimal = (promised + 64) % 10**6 < 128
    return not promised or (promised >= 10**9 and (near_binary or near_decimal))


def _next(file: BinaryIO, header: _Header, end: int, stop: int) -> int:
    """Return the start of the next joined wav, or the end of the file."""
    position = _after_chunks(file, header, end, stop)
    if is_wav(bytes_at(file, position, 12)):
        return position
    rest = bytes_at(file, position, stop - position) if stop - position < 2**20 else b"..."
    if stop - position > header.slack_bytes and rest.strip(b"\0"):
        raise BadAudio(
            f"damaged: the header counts {end - header.start} bytes of samples, but "
            f"{stop - position} more follow that are none of its chunks; write it anew: "
            "ffmpeg -ignore_length 1 -i IN.wav OUT.wav"
        )
    return stop


def _after_chunks(file: BinaryIO, header: _Header, position: int, stop: int) -> int:
    """Return the end of the chunks after the samples, with or without a padding byte."""
    ends = [position]
    for begin in (position, position + 1):
        for chunk in _chunks(file, begin, stop, header.order):
            if is_wav(bytes_at(file, chunk.start - 8, 12)):
                return chunk.start - 8
            if chunk.start + chunk.size > stop:
                break
            if chunk.name == b"data" and chunk.size:
                raise BadAudio("damaged: a second chunk of samples; write the wav anew with one")
            ends.append(min(chunk.start + chunk.size + chunk.size % 2, stop))
    return max(ends)


def _chunks(file: BinaryIO, position: int, stop: int, order: str) -> Iterator[_Chunk]:
    for _ in range(_MAX_CHUNKS):
        head = bytes_at(file, position, 8)
        if position + 8 > stop or not (
            head[:4].isascii() and head[:4].decode("ascii").isprintable()
        ):
            return
        size = struct.unpack_from(order + "I", head, 4)[0]
        yield _Chunk(head[:4], position + 8, size)
        position += 8 + size + size % 2


def _recording(file: BinaryIO, header: _Header, end: int) -> list[Piece]:
    if header.codec == _MPEG_LAYER_3:
        return mpeg.pieces(file, header.start, end)
    number = struct.Struct(header.order + "I").pack
    magic = b"RIFX" if header.order == ">" else b"RIFF"
    unknown = number(_UNKNOWN_BYTES)  # The decoder then reads to the end.
    settings = (
        b"fmt "
        + number(len(header.settings))
        + header.settings
        + b"\0" * (len(header.settings) % 2)
    )
    return [Piece(header.start, end, magic + unknown + b"WAVE" + settings + b"data" + unknown)]
