"""Files that are written whole or not at all, room for them, and their sizes in words."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft to write instead of ``path``: it takes its place at the end, or vanishes with an error.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "results.txt"
    >>> with replacing(path) as draft:
    ...     _ = draft.write_text("all of it")
    >>> path.read_text()
    'all of it'
    """
    # Two processes may write one file: each has its own draft, and the last to end wins.
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        _fsync(draft)  # else a power cut could leave an empty file under the name of a whole one
        os.replace(draft, path)
        _fsync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Return when a folder, and all that is in it, would survive a power cut."""
    for path in [*folder.rglob("*"), folder, folder.parent]:
        _fsync(path)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise an OSError where the disk that a folder lies on has no room for so much."""
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise OSError(
            f"not enough space in {folder}: {size_in_words(needed_bytes)} are needed, and "
            f"{size_in_words(free_bytes)} are free; make room, or choose another folder"
        )


def size_in_words(size_bytes: int) -> str:
    """A size for a person.

    >>> size_in_words(208_468_073)
    '208 MB'
    """
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def printable(text: str) -> str:
    r"""The text with an escape in place of each character that a terminal would obey or not show.

    >>> printable("calm\x1b[2J")
    'calm\\x1b[2J'
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode()
        for char in text
    )
