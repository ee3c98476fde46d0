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

    A copy has the name of its file, all that is said of it, and every byte in common with the original.  One
    recording under two names, labels or speakers is what a publisher did: both stay, and partitions keep them
    on one side.

    Raises:
      CorpusError: two different recordings have one name.
    """
    originals: dict[Hashable, list[Source]] = defaultdict(list)
    names: dict[str, Source] = {}
    kept: list[Source | Skipped] = []
    for item in listing:
        if isinstance(item, Source) and isinstance(item.audio, Path):
            alike = originals[PurePosixPath(item.file).name, item.said[1:]]
            original = next((other for other in alike if _same_bytes(other.audio, item.audio)), None)
            if original:
                kept.append(_copy(item, original))
                continue
            alike.append(item)
            other = names.setdefault(item.file, item)
            if other is not item:
                raise CorpusError(
                    f"{other.audio} and {item.audio} differ, and both are {item.file}; say which is meant "
                    "with NAME=PATH, or remove one"
                )
        kept.append(item)
    return kept


def _copy(item: Source, original: Source) -> Skipped:
    """The copy under its place in the folder, even where it is called like the original."""
    if item.file != original.file:
        return Skipped(item.file, f"a copy of {original.file}", is_extra=True)
    top = os.path.commonpath([Path(source.audio).parent for source in (item, original)])  # type: ignore
    return Skipped(os.path.relpath(item.audio, top), f"a copy of {original.file}", is_extra=True)  # type: ignore


def _same_bytes(one: object, other: object) -> bool:
    try:
        return os.path.samefile(one, other) or filecmp.cmp(one, other, shallow=False)  # type: ignore
    except OSError:
        return False
