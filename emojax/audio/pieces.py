"""The parts of a file that a decoder is given one by one, under headers that promise no wrong length."""

from __future__ import annotations

import dataclasses
import io
from typing import BinaryIO

_CHUNK_BYTES = 2**20


class BadAudio(ValueError):  # noqa: N818 - it is not the program's error
    """A recording that cannot be used; the message is the reason."""


class TooLong(BadAudio):
    """A recording that is longer than what is read at once."""


@dataclasses.dataclass(frozen=True)
class Piece:
    """One recording within a file: ``head``, then the file's bytes from ``start`` to ``stop``.

    Attributes:
      samples: how many samples per channel it has to give; None where only the decoder knows.
    """

    start: int
    stop: int
    head: bytes = b""
    samples: int | None = None


class PieceReader(io.RawIOBase):
    """A piece as a file of its own, for a decoder that seeks."""

    def __init__(self, file: BinaryIO, piece: Piece) -> None:
        self._file, self._piece, self._position = file, piece, 0
        self._size = len(piece.head) + piece.stop - piece.start

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can seek."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position in bytes."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, origin + offset)
        return self._position

    def readinto(self, buffer) -> int:
        """Fill the buffer with the next bytes, and return how many there were."""
        wanted = max(0, min(len(buffer), self._size - self._position))
        content = self._piece.head[self._position : self._position + wanted]
        if len(content) < wanted:
            offset = max(0, self._position - len(self._piece.head))
            content += bytes_at(self._file, self._piece.start + offset, wanted - len(content))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)


def bytes_at(file: BinaryIO, position: int, count: int) -> bytes:
    """Up to ``count`` bytes of a file from a position on."""
    file.seek(max(0, position))
    return file.read(count)


def find(file: BinaryIO, marker: bytes, start: int, stop: int) -> int:
    """Where a marker first lies between two positions of a file, or −1; in bounded memory.

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
