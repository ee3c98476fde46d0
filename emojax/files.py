"""Files that are written whole or not at all, and their names and sizes in words."""

from __future__ import annotations

import contextlib
import os
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
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def size_in_words(size_bytes: int) -> str:
    """A size for a person.

    >>> size_in_words(208_468_073)
    '208 MB'
    """
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def printable(text: str) -> str:
    r"""Text from outside for a message: what would steer a terminal or break the line is spelled out.

    >>> print(printable("naïve \x1b[2J.wav"))
    naïve \x1b[2J.wav
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
