"""One recording that lies in a folder twice, as in archives that hold themselves once more."""

from __future__ import annotations

import filecmp
import os
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path, PurePosixPath

from datasets.errors import CorpusError
from datasets.sources import Skipped, Source


def without_copies(listing: Sequence[Source | Skipped]) -> list[Source | Skipped]:
    """The listing with every copy skipped.

    A copy has the name of its file, all that is said of it, and every byte in common with the
    original.  One recording under two names, labels or speakers is what a publisher did: both stay,
    and partitions keep them on one side.

    Raises:
      CorpusError: two different recordings have one name.
    """
    originals: dict[Hashable, list[tuple[str, Path]]] = defaultdict(list)
    paths: dict[str, Path] = {}
    kept: list[Source | Skipped] = []
    for item in listing:
        if isinstance(item, Source) and isinstance(item.audio, Path):
            alike = originals[PurePosixPath(item.file).name, item.said[1:]]
            copied = next((other for other in alike if _same_bytes(other[1], item.audio)), None)
            if copied:
                kept.append(_copy(item.file, item.audio, *copied))
                continue
            alike.append((item.file, item.audio))
            path = paths.setdefault(item.file, item.audio)
            if path is not item.audio:
                raise CorpusError(
                    f"{path} and {item.audio} differ, and both are {item.file}; say which is meant with "
                    "NAME=PATH, or remove one"
                )
        kept.append(item)
    return kept


def _copy(file: str, path: Path, original: str, original_path: Path) -> Skipped:
    """The copy under its place in the folder, even where it is called like the original."""
    if file == original:
        file = os.path.relpath(path, os.path.commonpath([path.parent, original_path.parent]))
    return Skipped(file, f"a copy of {original}", is_extra=True)


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other) or filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
