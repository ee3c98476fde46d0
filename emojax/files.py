"""Atomic writing of files and folders, disk space, and sizes and texts for display."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a draft file that replaces ``path`` at the end, or is deleted after an error.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "results.txt"
    >>> with replacing(path) as draft:
    ...     _ = draft.write_text("all of it")
    >>> path.read_text()
    'all of it'
    """
    # Two processes may write the same file: each has its own draft, and the last one stays.
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        _fsync(draft)  # else a power cut could leave an empty file at ``path``
        os.replace(draft, path)
        _fsync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable]) -> None:
    """Write a table as a CSV, atomically.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "clips.csv"
    >>> write_csv(path, ("file", "label"), [("a.wav", "joy")])
    >>> path.read_text().split()
    ['file,label', 'a.wav,joy']
    """
    with replacing(path) as draft, open(draft, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a draft folder that becomes ``folder`` at the end, or is deleted after an error.

    Raises:
      ValueError: ``folder`` is there, and is not an empty folder.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{printable(str(folder))} is not an empty folder; give a new one")
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    shutil.rmtree(draft, ignore_errors=True)  # of a killed process with the same number
    draft.mkdir()
    try:
        yield draft
        sync(draft)
        os.rename(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def sync(folder: Path) -> None:
    """Flush a folder and its contents to the disk, so that they survive a power cut."""
    for path in [*folder.rglob("*"), folder, folder.parent]:
        _fsync(path)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise an OSError if the folder's disk has too little free space."""
    free_bytes = shutil.disk_usage(folder).free
    if needed_bytes > free_bytes:
        raise OSError(
            f"not enough space in {folder}: {size_in_words(needed_bytes)} are needed, and "
            f"{size_in_words(free_bytes)} are free; make room, or choose another folder"
        )


def size_in_words(size_bytes: int) -> str:
    """Format a size in bytes for display.

    >>> size_in_words(208_468_073)
    '208 MB'
    """
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def printable(text: str) -> str:
    r"""Escape the characters that a terminal would interpret or not show.

    >>> printable("calm\x1b[2J")
    'calm\\x1b[2J'
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode()
        for char in text
    )
