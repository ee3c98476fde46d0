"""Reading of untrusted zip archives in bounded memory."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from emojax.files import printable

# The whole directory is in memory at once; that of 100,000 recordings has about 10 MB.
MAX_DIRECTORY_BYTES = 20 * 10**6
# With other methods, a few bytes may expand to more than fits into memory in one step.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ArchiveError(ValueError):
    """Error for an archive that cannot be read."""


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive, and close it at the end.

    Raises:
      ArchiveError: the file is no zip archive, has a password, another compression than deflate, or
        a directory larger than ``MAX_DIRECTORY_BYTES``.
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
    """Yield the content of a member, up to its size in the directory.

    Raises:
      ArchiveError: the content does not match the directory.
    """
    with _damage(), archive.open(info) as member:
        while chunk := member.read(chunk_bytes):
            yield chunk


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Read a whole member; errors of :func:`read_chunks`, and a KeyError for an unknown name."""
    return b"".join(read_chunks(archive, archive.getinfo(name)))


class _BoundedReads(io.BufferedReader):
    """File that limits the size of the directory that zipfile can read."""

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > MAX_DIRECTORY_BYTES:
            raise ArchiveError(f"its directory is said to have {size} bytes")
        return super().read(size)


@contextlib.contextmanager
def _damage() -> Iterator[None]:
    """Replace the many errors of zipfile by one."""
    try:
        yield
    except Exception as error:  # a damaged archive may raise any error
        reason = printable(str(error)) or type(error).__name__
        raise ArchiveError(f"it is damaged: {reason}") from None
