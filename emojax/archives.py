"""Opening zip archives of strangers in bounded memory."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from emojax.files import printable

# Of a directory, all of which is in memory at once; that of 100,000 recordings has about 10 MB.
MAX_DIRECTORY_BYTES = 20 * 10**6
# Of the others, a few bytes may become more than fits into memory in one step.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ArchiveError(ValueError):
    """An archive that cannot be read, and why."""


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive, closed at the end.

    Raises:
      ArchiveError: for anything else, a password, a compression other than deflate, and a directory
        larger than ``MAX_DIRECTORY_BYTES``.
    """
    if not zipfile.is_zipfile(path):
        raise ArchiveError("it is no zip archive, but perhaps a page with a message")
    with _BoundedReads(io.FileIO(path)) as file:
        with _damage():
            archive = zipfile.ZipFile(file)
        for info in archive.infolist():
            if info.compress_type not in _METHODS or info.flag_bits & 1:
                raise ArchiveError(
                    f"{info.filename!r} is encrypted, or packed otherwise than by deflate"
                )
        yield archive


def read_chunks(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, chunk_bytes: int = 2**20
) -> Iterator[bytes]:
    """The content of a member, no more of it than its size in the directory says.

    Raises:
      ArchiveError: for content that is not as the directory says.
    """
    with _damage(), archive.open(info) as member:
        while chunk := member.read(chunk_bytes):
            yield chunk


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The whole content of a member; errors as for :func:`read_chunks`, and a KeyError for a name of none."""
    return b"".join(read_chunks(archive, archive.getinfo(name)))


class _BoundedReads(io.BufferedReader):
    """A file of which zipfile cannot read a directory of any size."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise ArchiveError(f"its directory is said to have {size} bytes")
        return super().read(size)


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """One error for the many that zipfile raises."""
    try:
        yield
    except Exception as error:  # a damaged archive may raise anything
        reason = printable(str(error)) or type(error).__name__
        raise ArchiveError(f"it is damaged: {reason}") from None
