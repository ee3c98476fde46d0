"""Copies of a recording within one folder, as in archives that contain themselves twice."""

from __future__ import annotations

import filecmp
import os
from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path, PurePosixPath

from datasets.errors import CorpusError
from datasets.sources import Skipped, Source


def without_copies(listing: Sequence[Source | Skipped]) -> list[Source | Skipped]:
    """Return the listing with every copy marked as skipped.

    A copy has the same file name, metadata and bytes as the original. If the publisher gave one
    recording two names, labels or speakers, both are kept, and partitions put them into one part.

    Raises:
      CorpusError: two different recordings have the same name.
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
                    f"{path} and {item.audio} differ, and both are {item.file}; say which is meant "
                    "with NAME=PATH, or remove one"
                )
        kept.append(item)
    return kept


def _copy(file: str, path: Path, original: str, original_path: Path) -> Skipped:
    """Return the copy as skipped, named by its path in the folder to tell it from the original."""
    if file == original:
        file = os.path.relpath(path, os.path.commonpath([path.parent, original_path.parent]))
    return Skipped(file, f"a copy of {original}", is_extra=True)


def _same_bytes(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other) or filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False
