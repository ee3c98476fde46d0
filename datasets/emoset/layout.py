"""Finding a corpus's recordings by their file names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from datasets.base import CorpusError, Skipped, Source
from emojax.audio.reading import SUFFIXES


def audio_files(root: Path) -> list[str]:
    """The audio files below a folder, relative to it, sorted; hidden files and folders are passed over."""
    files = (path.relative_to(root) for path in root.rglob("*") if path.suffix.lower() in SUFFIXES)
    return sorted(file.as_posix() for file in files if not any(part.startswith(".") for part in file.parts))


def match_files(
    root: Path, layout: str, pattern: str, labels: Mapping[str, str] | None = None
) -> Iterator[Source | Skipped]:
    """The recordings whose name fits; the others are skipped, which says so.

    Args:
      root: the corpus's folder.
      layout: an example of a name that fits.
      pattern: matches the whole relative path up to the suffix; has the group ``label`` and, where names
        say it, ``speaker``.
      labels: what the group ``label`` matches → the label; a recording it does not hold is no part of the
        corpus. Without it the group is the label.
    """
    for file in audio_files(root):
        printable = file.encode(errors="replace").decode()
        match = re.fullmatch(pattern, file.rsplit(".", 1)[0])
        if printable != file:
            yield Skipped(printable, "file name is not UTF-8")
        elif not match:
            yield Skipped(file, f"file name does not fit the layout {layout}")
        elif labels is None or match["label"] in labels:
            label = match["label"] if labels is None else labels[match["label"]]
            yield Source(file, label, speaker=match.groupdict().get("speaker", ""), audio=root / file)


def read_text(root: Path, file: str | Path) -> str:
    """A text that comes with a corpus and says its labels; empty where the corpus itself is not there.

    Raises:
      CorpusError: where the corpus is there without it.
    """
    path = root / file
    if root.is_dir() and not path.is_file():
        raise CorpusError(f"no file {path}, which says the labels; unpack the corpus whole")
    return path.read_text(encoding="utf-8-sig", errors="replace") if root.is_dir() else ""
