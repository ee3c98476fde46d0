"""Finding a corpus's recordings by their file names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from datasets.base import Skipped, Source
from emojax.audio.reading import SUFFIXES


def audio_files(root: Path) -> list[str]:
    """The audio files below a folder, relative to it, sorted; hidden files and folders are passed over."""
    files = (path.relative_to(root) for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(file.as_posix() for file in files if not any(part.startswith(".") for part in file.parts))


def match_files(
    root: Path, layout: str, pattern: str, labels: Mapping[str, str]
) -> Iterator[Source | Skipped]:
    """The recordings whose name fits; the others are skipped, which says so.

    Args:
      root: the corpus's folder.
      layout: an example of a name that fits.
      pattern: matches the whole relative path up to the suffix; has the groups ``speaker`` and ``label``.
      labels: what the group ``label`` matches → the label.
    """
    for file in audio_files(root):
        printable = file.encode(errors="replace").decode()
        match = re.fullmatch(pattern, file.rsplit(".", 1)[0])
        if printable != file:
            yield Skipped(printable, "file name is not UTF-8")
        elif match:
            yield Source(file, labels[match["label"]], speaker=match["speaker"], audio=root / file)
        else:
            yield Skipped(file, f"file name does not fit the layout {layout}")
