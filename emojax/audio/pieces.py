"""Pieces of a file, which are decoded one by one, with headers without wrong lengths."""

from __future__ import annotations

import dataclasses
import io
from typing import BinaryIO

_CHUNK_BYTES = 2**20


class BadAudio(ValueError):  # noqa: N818 - it is not an error of the program
    """Error for a recording that cannot be used; the message is the reason."""


class TooLong(BadAudio):
    """Error for a recording that is too long to be read at once."""


class Silent(BadAudio):
    """Error for a recording whose samples are all equal."""


@dataclasses.dataclass(frozen=True)
class Piece:
    """One recording within a file: ``head``, then the file's bytes from ``start`` to ``stop``.

    Attributes:
      samples: expected number of samples per channel; None if only the decoder knows it.
    """

    start: int
    stop: int
    head: bytes = b""
    samples: int | None = None


class PieceReader(io.RawIOBase):
    """A piece as a file object that a decoder can seek in."""

    def __init__(self, file: BinaryIO, piece: Piece) -> None:
        self._file, self._piece, self._position = file, piece, 0
        self._size = len(piece.head) + piece.stop - piece.start

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Set the position in bytes, and return it."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer) -> int:
        """Fill the buffer with the next bytes, and return their number."""
        wanted = max(0, min(len(buffer), self._size - self._position))
        content = self._piece.head[self._position : self._position + wanted]
        if len(content) < wanted:
            offset = max(0, self._position - len(self._piece.head))
            content += bytes_at(self._file, self._piece.start + offset, wanted - len(content))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def bytes_at(file: BinaryIO, position: int, count: int) -> bytes:
    """Read up to ``count`` bytes of a file at a position."""
    file.seek(max(0, position))
    return file.read(count)


def find(file: BinaryIO, marker: bytes, start: int, stop: int) -> int:
    """Return the first position of a marker in a range of a file, or −1; in bounded memory.

    >>> find(io.BytesIO(b"abcabc"), b"ca", 0, 6)
    2
    """
    while start < stop:
        content = bytes_at(file, start, min(_CHUNK_BYTES + len(marker) - 1, stop - start))
        place = content.find(marker)
        if place >= 0:
            return start + place
        start += _CHUNK_BYTES
    return -1
