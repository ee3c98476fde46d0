"""Finding a corpus's recordings by their file names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from datasets.errors import CorpusError
from datasets.sources import Skipped, Source
from emojax.audio.reading import SUFFIXES


def audio_files(root: Path) -> list[str]:
    """The audio files below a folder, relative to it, sorted; hidden files and folders are passed over."""
    return sorted(file for file in files_below(root) if file.lower().endswith(SUFFIXES))


def files_below(root: Path) -> Iterator[str]:
    """All files below a folder, relative to it, but hidden ones; links are followed, each folder once."""
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
            # Linked folders come last, so that files keep the name that they have without links.
            pending += [path for name in subfolders if (path := Path(folder, name)).is_symlink()]
            for name in sorted(files):
                if not name.startswith("."):
                    yield Path(folder, name).relative_to(root).as_posix()


def _refuse_closed(error: OSError) -> None:
    """Stop at a folder that may not be read, which would be missing without a word."""
    if isinstance(error, PermissionError):
        raise error


def match_files(
    root: Path, layout: str, pattern: str, labels: Mapping[str, str] | None = None
) -> Iterator[Source | Skipped]:
    """The recordings whose name fits; the others are skipped, which says so.

    A recording is called as its publisher calls it, in whatever folders the corpus lies here.

    Args:
      root: the corpus's folder, or one above it.
      layout: an example of a name that fits.
      pattern: matches the whole relative path up to the suffix; has the group ``label`` and, where
        names say it, ``speaker``.
      labels: what the group ``label`` matches → the label; a recording it does not hold is no part
        of the corpus. Without it the group is the label.
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
    """The longest end of a path that fits, or its name where a folder that adds nothing is missing."""
    parts = stem.split("/")
    tries = [(pattern, "/".join(parts[i:])) for i in range(len(parts))]
    # A folder that is the same for all, as in `wav/...`.
    if common := re.match(r"(?:[\w ]+/)+", pattern):
        tries.append((pattern, common[0] + parts[-1]))
    # A folder that the name repeats, as in `Actor_(?P<speaker>..)/...-(?P=speaker)`.
    if repeated := re.fullmatch(r"[^/()]*(\(\?P<(\w+)>[^/()]*\))/(.*)", pattern):
        group, name, rest = repeated.groups()
        if f"(?P={name})" in rest:
            tries.append((rest.replace(f"(?P={name})", group, 1), parts[-1]))
    return next((match for one, end in tries if (match := re.fullmatch(one, end))), None)


def read_text(root: Path, file: str | Path) -> str:
    """A text that comes with a corpus and says its labels; empty where the corpus itself is not there.

    It may lie deeper than the publisher has it, where there is one only.

    Raises:
      CorpusError: where the corpus is there without it, or with several.
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
