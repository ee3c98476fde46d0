"""The tfds builder of all corpora whose publisher's layout is known."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from datasets.base import CorpusError, Skipped, Source, SpeechBuilder
from datasets.emoset import corpora
from datasets.emoset.layout import TableError
from emojax.corpora.spec import CorpusSpec

CORPORA = {
    module.name: importlib.import_module(f"{corpora.__name__}.{module.name}")
    for module in pkgutil.iter_modules(corpora.__path__)
}


# Number of folder levels that unpacking an archive may put around a corpus.
_DEEPEST = 3


class Builder(SpeechBuilder):
    """One config per corpus; ``source_dir`` is the publisher's folder."""

    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name=name, description=module.__doc__)
        for name, module in CORPORA.items()
    ]

    @property
    def spec(self) -> CorpusSpec:
        """Description of the corpus."""
        return CORPORA[self.builder_config.name].SPEC

    def sources(self) -> Iterable[Source | Skipped]:
        """Return the recordings in the order of their names.

        If at least half of the files are recordings, the others are another part of the corpus,
        such as songs, and do not count as bad.
        """
        sources = self._found()
        if 2 * _recordings(sources) >= len(sources):
            return sources
        return [
            dataclasses.replace(item, is_extra=False) if isinstance(item, Skipped) else item
            for item in sources
        ]

    @property
    def remarks(self) -> list[str]:
        """Note on the number of files that are copies or another part."""
        others = sum(isinstance(item, Skipped) and item.is_extra for item in self.listing)
        return [
            f"{others} files are copies, or named otherwise and no part of it (skipped.csv)"
        ] * bool(others)

    def _found(self) -> list[Source | Skipped]:
        """Return the listing of the folder, or of the folder below it with the most recordings."""
        corpus, error = CORPORA[self.builder_config.name], None
        for level in _levels(self.source_dir):
            best: list[Source | Skipped] = []
            for root in level:
                try:
                    best = max(best, list(corpus.clips(root)), key=_recordings)
                except TableError:
                    raise
                except CorpusError as wrong:
                    error = error or wrong
            if _recordings(best):
                return best
        raise error or CorpusError(self._no_recording())

    def _no_recording(self) -> str:
        """Return the error message: what was expected, what was found, and how to mend it."""
        root = self.source_dir
        seen = f"{root} holds {_content(root)}" if root.is_dir() else f"there is no folder {root}"
        if not root.is_dir() and root.parent.is_dir():
            seen += f"; {root.parent} holds {_content(root.parent)}"
        note = f"\n  note: {self.spec.notes}" if self.spec.notes else ""
        fetching = (
            "have it fetched: "
            f"python -m datasets {shlex.quote(f'{self.spec.name}={root}')} --download"
        )
        way = fetching if self.spec.downloads and not root.exists() else "get it anew"
        return (
            f"{self.spec.name}: no recording found\n"
            f"  expected: the publisher's files, named like {root / self.spec.layout}\n"
            f"  found: {seen}\n"
            f"  mend: unpack the corpus there, or say where it is with {self.spec.name}=PATH, or "
            f"{way}; it comes from {self.spec.source} (licence: {self.spec.licence}){note}"
        )


def _levels(folder: Path) -> Iterator[list[Path]]:
    """Yield the folder, then its subfolders, level by level, up to ``_DEEPEST`` levels."""
    level = [folder]
    for _ in range(_DEEPEST + 1):
        yield level
        level = [
            path
            for top in level
            if top.is_dir()
            for path in sorted(top.glob("[!.]*/"))
            if path.is_dir()
        ]


def _recordings(listing: list[Source | Skipped]) -> int:
    return sum(isinstance(item, Source) for item in listing)


def _content(folder: Path, shown: int = 8) -> str:
    """Return the names of the entries of a folder in one line."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    return (
        ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if names[shown:] else "")
        or "nothing"
    )
