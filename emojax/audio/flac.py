"""Streams of a FLAC file, with the length removed from their headers."""

from __future__ import annotations

from typing import BinaryIO

from emojax.audio.pieces import BadAudio, Piece, bytes_at, find

# Magic number and header of the first block, with or without further blocks.
_MARKERS = (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22")
_HEAD_BYTES = 42
# The last 36 of the 64 bits that hold rate, channels, depth and length.
_LENGTH_AT, _LENGTH_BITS = slice(18, 26), (1 << 36) - 1
_TAG_BYTES = 128


def pieces(file: BinaryIO, start: int, stop: int) -> list[Piece]:
    """Return the recordings of a FLAC file: one, or several if files were joined.

    Raises:
      BadAudio: a header is truncated.
    """
    if bytes_at(file, stop - _TAG_BYTES, 3) == b"TAG":
        stop -= _TAG_BYTES
    starts = sorted(
        {start, *(place for marker in _MARKERS for place in _all(file, marker, start, stop))}
    )
    return [_piece(file, *ends) for ends in zip(starts, [*starts[1:], stop], strict=True)]


def _all(file: BinaryIO, marker: bytes, start: int, stop: int) -> list[int]:
    places = [find(file, marker, start, stop)]
    while places[-1] >= 0:
        places.append(find(file, marker, places[-1] + 1, stop))
    return places[:-1]


def _piece(file: BinaryIO, start: int, stop: int) -> Piece:
    """Return one stream without its length, so that it is decoded to the end, and the length."""
    head = bytes_at(file, start, _HEAD_BYTES)
    if len(head) < _HEAD_BYTES:
        raise BadAudio("truncated: the header of the FLAC stream is cut")
    fields = int.from_bytes(head[_LENGTH_AT], "big")
    open_fields = (fields & ~_LENGTH_BITS).to_bytes(8, "big")
    head = head[: _LENGTH_AT.start] + open_fields + head[_LENGTH_AT.stop :]
    return Piece(start + _HEAD_BYTES, stop, head, fields & _LENGTH_BITS)
