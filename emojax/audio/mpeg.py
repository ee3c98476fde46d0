"""Frames of an MP3, counted because its table of contents may be missing or wrong."""

from __future__ import annotations

import functools
from typing import BinaryIO, NamedTuple

from emojax.audio.pieces import BadAudio, Piece, bytes_at

_RATES_HZ = (44_100, 48_000, 32_000)
_VERSION_1 = 3
_RATE_DIVISORS = {_VERSION_1: 1, 2: 2, 0: 4}
_KBPS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_KBPS = {_VERSION_1: _KBPS_1, 2: _KBPS_2, 0: _KBPS_2}
_FRAME_SAMPLES = {_VERSION_1: 1152, 2: 576, 0: 576}
_LAYER_3 = 1
_MONO = 3
_TAGS = (b"TAG", b"ID3", b"APE", b"LYR")
_VBRI_AT = 36
# Some encoders count the frame of the table, others leave out the last frames.
_SLACK_FRAMES = 2
# Samples that a decoder drops at the beginning.
_DELAY_SAMPLES = 529
# This many consecutive frame headers do not occur by chance.
_CHAIN = 3
# The first frame is searched in this range, because a cut file begins within a frame.
_SEARCH_BYTES = _PART_BYTES = 2**16
# Size of the part of a frame that contains the header of a table.
_TABLE_BYTES = 64


# Version, rate in Hz and mono flag, which are the same in all frames of a recording.
_Kind = tuple[int, int, bool]


class _Frame(NamedTuple):
    """Content of a frame header."""

    kind: _Kind
    size: int

    @property
    def samples(self) -> int:
        return _FRAME_SAMPLES[self.kind[0]]

    @property
    def table_at(self) -> int:
        """Position of a table of contents in the frame, if there is one."""
        version, _, mono = self.kind
        return 4 + ((17 if mono else 32) if version == _VERSION_1 else (9 if mono else 17))


class _Section(NamedTuple):
    start: int
    stop: int
    frames: int
    kind: _Kind


def first_frame(file: BinaryIO, start: int, stop: int) -> int:
    """Return the position of the first frame, or −1 if there is none near ``start``."""
    return _resynchronise(file, start, min(stop, start + _SEARCH_BYTES), stop)


def pieces(file: BinaryIO, start: int, stop: int) -> list[Piece]:
    """Return the sections of an MP3, each with a correct table; joined files have several.

    Raises:
      BadAudio: there are no frames, or fewer than a table promises.
    """
    sections = _sections(file, start, stop)
    if not sections:
        raise BadAudio("undecodable: no MP3 frames")
    return [_piece(file, section) for section in sections]


def _piece(file: BinaryIO, section: _Section) -> Piece:
    head = bytes_at(file, section.start, _TABLE_BYTES)
    frame = _parse(head[:4])
    assert frame is not None
    has_table, promised = _table(head, frame)
    count = section.frames - has_table
    if promised > count + _SLACK_FRAMES:
        raise BadAudio(f"truncated: {count * frame.samples} of {promised * frame.samples} samples")
    if promised and count - promised <= _SLACK_FRAMES:
        return Piece(section.start, section.stop)
    body = section.start + frame.size * has_table
    samples = (count - 1) * frame.samples - _DELAY_SAMPLES
    return Piece(body, section.stop, _new_table(head[:4], count + 1), samples)


@functools.lru_cache(4096)
def _parse(head: bytes) -> _Frame | None:
    """Parse a frame header of four bytes; None if it is not MPEG layer III."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, rate_kbps = head[2] >> 2 & 3, head[2] >> 4
    if version not in _RATE_DIVISORS or layer != _LAYER_3 or rate == 3 or rate_kbps in (0, 15):
        return None
    rate_hz = _RATES_HZ[rate] // _RATE_DIVISORS[version]
    bits_per_s = 1000 * _KBPS[version][rate_kbps]
    size = _FRAME_SAMPLES[version] // 8 * bits_per_s // rate_hz + (head[2] >> 1 & 1)
    return _Frame((version, rate_hz, head[3] >> 6 == _MONO), size)


def _sections(file: BinaryIO, position: int, stop: int) -> list[_Section]:
    """Return runs of whole frames; a table or frames of another kind begin a new run."""
    found: list[_Section] = []
    in_step = True
    position = first_frame(file, position, stop)
    while position >= 0:
        head = bytes_at(file, position, _TABLE_BYTES)
        frame = _parse(head[:4])
        same_kind = bool(found) and frame is not None and frame.kind == found[-1].kind
        if frame is None or (in_step and found and not same_kind):
            position, in_step = _resynchronise(file, position, stop, stop), False
            continue
        end, in_step = position + frame.size, True
        if end > stop:
            break
        if not same_kind or _table(head, frame)[0]:
            found.append(_Section(position, end, 0, frame.kind))
        found[-1] = found[-1]._replace(stop=end, frames=found[-1].frames + 1)
        position = end
    return found


def _resynchronise(file: BinaryIO, position: int, last: int, stop: int) -> int:
    """Return the start of the next chain of frames from ``position`` to ``last``, or −1."""
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
    """Return whether several frames of one kind follow each other, or end the file."""
    kind = None
    for length in range(_CHAIN):
        head = bytes_at(file, position, 4)
        frame = _parse(head)
        if frame is None or kind not in (None, frame.kind):
            return length > 0 and (position >= stop or head.startswith(_TAGS))
        kind = frame.kind
        position += frame.size
    return True


def _table(head: bytes, frame: _Frame) -> tuple[bool, int]:
    """Return whether a frame is a table of contents, and its number of frames (0 if unknown)."""
    for place in (frame.table_at, frame.table_at + 2):  # Two bytes of checksum may precede it.
        if head[place : place + 4] in (b"Xing", b"Info"):
            counted = head[place + 7 : place + 8] > b"" and head[place + 7] & 1
            return True, int.from_bytes(head[place + 8 : place + 12], "big") if counted else 0
    if head[_VBRI_AT : _VBRI_AT + 4] == b"VBRI":
        return True, int.from_bytes(head[_VBRI_AT + 14 : _VBRI_AT + 18], "big")
    return False, 0


def _new_table(head: bytes, count: int) -> bytes:
    """Return a frame of the same kind with a table that says how many frames follow."""
    rate_kbps = _KBPS[head[1] >> 3 & 3].index(32)
    no_checksum = head[1] | 1
    head = bytes([head[0], no_checksum, rate_kbps << 4 | head[2] & 0x0C, head[3]])
    frame = _parse(head)
    assert frame is not None
    table = b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return (head + bytes(frame.table_at - 4) + table).ljust(frame.size, b"\0")
