"""The frames of an MP3, counted: a table of contents in front of them may be missing, or of another file."""

from __future__ import annotations

import functools
from typing import BinaryIO, NamedTuple

from emojax.audio.pieces import BadAudio, Piece, bytes_at

_RATES_HZ = (44_100, 48_000, 32_000)
_VERSION_1 = 3
_RATE_DIVISORS = {_VERSION_1: 1, 2: 2, 0: 4}
_KBPS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_LAYER_3 = 1
_MONO = 3
_TAGS = (b"TAG", b"ID3", b"APE", b"LYR")
_VBRI_AT = 36
# Encoders count the frame of the table in, or the last ones out.
_SLACK_FRAMES = 2
# What a decoder leaves out at the beginning.
_DELAY_SAMPLES = 529
# So many headers in the right places are no chance.
_CHAIN = 3
# Where the first frame is looked for, after what a cut left of the one before.
_SEARCH_BYTES = _PART_BYTES = 2**16


class _Frame(NamedTuple):
    """What the four bytes in front of a frame say."""

    kind: tuple[int, int, bool]  # version, rate in Hz, mono: the same in all frames of a recording
    size: int

    @property
    def samples(self) -> int:
        return 1152 if self.kind[0] == _VERSION_1 else 576

    @property
    def table_at(self) -> int:
        """Where a table of contents would begin in the frame."""
        version, _, mono = self.kind
        return 4 + ((17 if mono else 32) if version == _VERSION_1 else (9 if mono else 17))


def first_frame(file: BinaryIO, start: int, stop: int) -> int:
    """Where the frames of an MP3 begin, or −1 where there are none near ``start``."""
    return _resynchronise(file, start, min(stop, start + _SEARCH_BYTES), stop)


def pieces(file: BinaryIO, start: int, stop: int) -> list[Piece]:
    """The frames of an MP3, under a table that counts them right.

    Raises:
      BadAudio: for fewer frames than its table promises, or frames of several kinds.
    """
    start = first_frame(file, start, stop)
    if start < 0:
        raise BadAudio("undecodable: no MP3 frames")
    head = bytes_at(file, start, 4)
    frame = _parse(head)
    assert frame is not None
    count = _count(file, start, stop)
    has_table, promised = _table(file, start, frame)
    count -= has_table
    if promised > count + _SLACK_FRAMES:
        raise BadAudio(f"truncated: {count * frame.samples} of {promised * frame.samples} samples")
    if count - promised <= _SLACK_FRAMES:
        return [Piece(start, stop)]
    body = start + frame.size * has_table
    return [Piece(body, stop, _new_table(head, count + 1), (count - 1) * frame.samples - _DELAY_SAMPLES)]


@functools.lru_cache(4096)
def _parse(head: bytes) -> _Frame | None:
    """The frame that these four bytes begin; None where they are no header of MPEG layer III."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, rate, rate_kbps = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version not in _RATE_DIVISORS or layer != _LAYER_3 or rate == 3 or rate_kbps in (0, 15):
        return None
    rate_hz = _RATES_HZ[rate] // _RATE_DIVISORS[version]
    bits_per_s = 1000 * (_KBPS_1 if version == _VERSION_1 else _KBPS_2)[rate_kbps]
    samples = 1152 if version == _VERSION_1 else 576
    size = samples // 8 * bits_per_s // rate_hz + (head[2] >> 1 & 1)
    return _Frame((version, rate_hz, head[3] >> 6 == _MONO), size)


def _count(file: BinaryIO, position: int, stop: int) -> int:
    """How many whole frames there are, past tags and damage."""
    kind, count = None, 0
    while position >= 0:
        frame = _parse(bytes_at(file, position, 4))
        if frame and kind in (None, frame.kind):
            kind = frame.kind
            position += frame.size
            count += position <= stop
            continue
        position = _resynchronise(file, position, stop, stop)
        frame = _parse(bytes_at(file, position, 4)) if position >= 0 else None
        if frame and frame.kind != kind:
            raise BadAudio("undecodable: joined MP3s of different rates or channels; split them")
    return count


def _resynchronise(file: BinaryIO, position: int, last: int, stop: int) -> int:
    """Where the next chain of frames begins between ``position`` and ``last``, or −1."""
    while position < last:
        content = bytes_at(file, position, min(_PART_BYTES, last - position))
        place = content.find(b"\xff")
        while place >= 0:
            if _is_chain(file, position + place, stop):
                return position + place
            place = content.find(b"\xff", place + 1)
        position += _PART_BYTES
    return -1


def _is_chain(file: BinaryIO, position: int, stop: int) -> bool:
    """Say whether several frames of one kind follow each other, or the last of them end the file."""
    kind = None
    for length in range(_CHAIN):
        head = bytes_at(file, position, 4)
        frame = _parse(head)
        if frame is None or kind not in (None, frame.kind):
            return length > 0 and (position >= stop or head.startswith(_TAGS))
        kind = frame.kind
        position += frame.size
    return True


def _table(file: BinaryIO, start: int, frame: _Frame) -> tuple[bool, int]:
    """Whether the first frame is a table of contents, and how many frames it promises, 0 if unknown."""
    content = bytes_at(file, start, frame.size)
    for place in (frame.table_at, frame.table_at + 2):  # Two bytes may be a checksum.
        if content[place : place + 4] in (b"Xing", b"Info"):
            counted = content[place + 7 : place + 8] > b"" and content[place + 7] & 1
            return True, int.from_bytes(content[place + 8 : place + 12], "big") if counted else 0
    if content[_VBRI_AT : _VBRI_AT + 4] == b"VBRI":
        return True, int.from_bytes(content[_VBRI_AT + 14 : _VBRI_AT + 18], "big")
    return False, 0


def _new_table(head: bytes, count: int) -> bytes:
    """A frame like the one that ``head`` begins, that says how many follow."""
    version = head[1] >> 3 & 3
    rate_kbps = (_KBPS_1 if version == _VERSION_1 else _KBPS_2).index(32)
    no_checksum = head[1] | 1
    head = bytes([head[0], no_checksum, rate_kbps << 4 | head[2] & 0x0C, head[3]])
    frame = _parse(head)
    assert frame is not None
    table = b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return (head + bytes(frame.table_at - 4) + table).ljust(frame.size, b"\0")
