"""Streams of an Ogg file, read page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from emojax.audio.pieces import BadAudio, Piece, bytes_at, find

_PAGE = b"OggS"
_HEADER_BYTES = 27
_MAX_TABLE_BYTES = 255
_FIRST, _LAST = 0x02, 0x04
_READ = (b"\x01vorbis", b"OpusHead")
_REFUSED = {
    b"\x7fFLAC": "FLAC",
    b"Speex": "Speex",
    b"\x80theora": "Theora video",
    b"fishead": "video",
}


class _Page(NamedTuple):
    start: int
    stop: int
    flags: int
    packet: bytes


def pieces(file: BinaryIO, start: int, stop: int) -> list[Piece]:
    """Return the streams of an Ogg file: one, or several if files were joined.

    Raises:
      BadAudio: a stream lacks its last page, several are multiplexed, or the codec is neither
        Vorbis nor Opus.
    """
    found: list[Piece] = []
    last = None
    for page in _pages(file, start, stop):
        if page.flags & _FIRST:
            _check_codec(page.packet)
            if last and last.flags & _FIRST:
                raise BadAudio(
                    "undecodable: an Ogg file of several streams at once; "
                    "convert one of them to wav"
                )
            if last and not last.flags & _LAST:
                break
            found.append(Piece(page.start, page.stop))
        elif found:
            found[-1] = Piece(found[-1].start, page.stop)
        last = page
    if not found or not last or not last.flags & _LAST:
        raise BadAudio("truncated: the Ogg stream has no last page")
    return found


def _pages(file: BinaryIO, position: int, stop: int) -> Iterator[_Page]:
    """Yield the complete pages, up to the first bytes that are not a page."""
    while position < stop:
        head = bytes_at(file, position, _HEADER_BYTES + _MAX_TABLE_BYTES + 8)
        if head[:4] != _PAGE:
            following = find(file, _PAGE, position, stop)
            if following >= 0:
                raise BadAudio(
                    f"damaged: {following - position} bytes between the pages of the Ogg stream"
                )
            return
        table = head[_HEADER_BYTES : _HEADER_BYTES + head[26]] if len(head) > _HEADER_BYTES else b""
        packet = head[_HEADER_BYTES + len(table) :]
        end = position + _HEADER_BYTES + len(table) + sum(table)
        if end > stop:
            raise BadAudio("truncated: the Ogg stream has no last page")
        yield _Page(position, end, head[5], packet)
        position = end


def _check_codec(packet: bytes) -> None:
    if packet.startswith(_READ):
        return
    name = next(
        (name for magic, name in _REFUSED.items() if packet.startswith(magic)), "an unknown codec"
    )
    raise BadAudio(
        f"undecodable: {name} in an Ogg file, of which Vorbis and Opus are read; convert it to wav"
    )
