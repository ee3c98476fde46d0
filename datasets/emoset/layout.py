"""Search for the recordings of a corpus by their file names."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from datasets.errors import CorpusError
from datasets.sources import Skipped, Source
from emojax.audio.reading import SUFFIXES


class TableError(CorpusError):
    """A table of a corpus in another form than its publisher's."""


def audio_files(root: Path) -> list[str]:
    """Return the audio files below a folder, as sorted relative paths, without hidden ones."""
    return sorted(file for file in files_below(root) if file.lower().endswith(SUFFIXES))


def files_below(root: Path) -> Iterator[str]:
    """Yield the relative paths of all files but hidden ones; follow links, each folder once."""
    pending, seen = [root], set[str]()
    for start in pending:
        for folder, subfolders, files in os.walk(start, onerror=_refuse_closed):
            real = os.path.realpath(folder)
            subfolders[:] = sorted(
                name for name in subfolders if not name.startswith(".") and real not in seen
            )
            if real in seen:
                continue
            seen.add(real)
            # Linked folders come last, so that each file gets its name without links.
            pending += [path for name in subfolders if (path := Path(folder, name)).is_symlink()]
            for name in sorted(files):
                if not name.startswith("."):
                    yield Path(folder, name).relative_to(root).as_posix()


def _refuse_closed(error: OSError) -> None:
    """Raise the error of a folder that cannot be read; os.walk would skip it silently."""
    if isinstance(error, PermissionError):
        raise error


def match_files(
    root: Path, layout: str, pattern: str, labels: Mapping[str, str] | None = None
) -> Iterator[Source | Skipped]:
    """Yield the recordings whose name matches, and the others as Skipped.

    A recording gets the name that it has in its publisher's layout, without folders around it.

    Args:
      root: folder of the corpus, or one above it.
      layout: example of a name that matches.
      pattern: matches the whole relative path without the suffix; has the group ``label`` and, if
        the name contains it, ``speaker``.
      labels: match of the group ``label`` → label; a recording with any other match is no part of
        the corpus. Without this argument the group is the label.
    """
    for path in audio_files(root):
        printable = path.encode(errors="replace").decode()
        stem, dot, suffix = path.rpartition(".")
        match = _fit(pattern, stem)
        if printable != path:
            yield Skipped(printable, "file name is not UTF-8")
        elif not match:
            yield Skipped(path, f"file name does not fit the layout {layout}", is_extra=True)
        elif labels is None or match["label"] in labels:
            label = match["label"] if labels is None else labels[match["label"]]
            speaker = match.groupdict().get("speaker", "")
            yield Source(f"{match[0]}{dot}{suffix}", label, speaker=speaker, audio=root / path)


def _fit(pattern: str, stem: str) -> re.Match[str] | None:
    """Match the longest suffix of a path, or the name alone if the folder adds no information."""
    parts = stem.split("/")
    tries = [(pattern, "/".join(parts[i:])) for i in range(len(parts))]
    # A folder that is the same for all files, as in `wav/...`.
    if common := re.match(r"(?:[\w ]+/)+", pattern):
        tries.append((pattern, common[0] + parts[-1]))
    # A folder that the file name repeats, as in `Actor_(?P<speaker>..)/...-(?P=speaker)`.
    if repeated := re.fullmatch(r"[^/()]*(\(\?P<(\w+)>[^/()]*\))/(.*)", pattern):
        group, name, rest = repeated.groups()
        if f"(?P={name})" in rest:
            tries.append((rest.replace(f"(?P={name})", group, 1), parts[-1]))
    return next((match for one, end in tries if (match := re.fullmatch(one, end))), None)


def read_text(root: Path, file: str | Path) -> str:
    """Read a text file of a corpus that contains its labels; empty if there is no folder.

    The file may be in a deeper folder than the publisher's, if there is only one.

    Raises:
      CorpusError: the folder contains no such file, or several.
    """
    path = root / file
    if root.is_dir() and not path.is_file():
        found = [other for other in files_below(root) if f"/{other}".endswith(f"/{file}")]
        if len(found) != 1:
            several = f": {', '.join(found[:5])}; keep one" * bool(found)
            raise CorpusError(
                f"no file {path}, which says the labels{several}; unpack the corpus whole"
            )
        path = root / found[0]
    return path.read_text(encoding="utf-8-sig", errors="replace") if root.is_dir() else ""


def read_rows(text: str, columns: Sequence[str], path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV of a corpus.

    Args:
      text: its content.
      columns: columns that every row must have.
      path: its path, for the error message.

    Raises:
      TableError: a row lacks a column.
    """
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    if any(row.get(column) is None for row in rows for column in columns):
        raise TableError(
            f"{path}: not every row has the columns {', '.join(columns)}; give the publisher's file"
        )
    return rows
