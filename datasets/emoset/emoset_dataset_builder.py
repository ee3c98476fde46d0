"""The tfds builder of all corpora whose publisher's layout is known here."""

from __future__ import annotations

import functools
import hashlib
import importlib
import pkgutil
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from datasets.base import CorpusError, Skipped, Source, SpeechBuilder
from datasets.emoset import corpora
from emojax.corpora.spec import CorpusSpec

CORPORA = {
    module.name: importlib.import_module(f"{corpora.__name__}.{module.name}")
    for module in pkgutil.iter_modules(corpora.__path__)
}


class Builder(SpeechBuilder):
    """One config per corpus; ``source_dir`` is the publisher's folder."""

    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name=name, description=module.__doc__) for name, module in CORPORA.items()
    ]

    @property
    def spec(self) -> CorpusSpec:
        """What the corpus is."""
        return CORPORA[self.builder_config.name].SPEC

    @functools.cached_property
    def fingerprint(self) -> str:
        """Names and sizes of the publisher's files: another folder, or more files, is another corpus."""
        files = sorted(
            (path.relative_to(self.source_dir).as_posix(), path.stat().st_size)
            for path in self.source_dir.rglob("*")
            if path.is_file()
        )
        return hashlib.blake2b(repr(files).encode(), digest_size=16).hexdigest()

    def sources(self) -> Iterable[Source | Skipped]:
        """The recordings in the order of their names."""
        corpus = CORPORA[self.builder_config.name]
        sources = list(corpus.clips(self.source_dir))
        if not any(isinstance(source, Source) for source in sources):
            raise CorpusError(self._no_recording())
        return sources

    def _no_recording(self) -> str:
        """What was expected, what is there, and how to mend it."""
        root = self.source_dir
        seen = f"{root} holds {_content(root)}" if root.is_dir() else f"there is no folder {root}"
        if not root.is_dir() and root.parent.is_dir():
            seen += f"; {root.parent} holds {_content(root.parent)}"
        note = f"\n  note: {self.spec.notes}" if self.spec.notes else ""
        fetching = f"have it fetched: python -m datasets {shlex.quote(f'{self.spec.name}={root}')} --download"
        way = fetching if self.spec.downloads and not root.exists() else "get it anew"
        return (
            f"{self.spec.name}: no recording found\n"
            f"  expected: the publisher's files, named like {root / self.spec.layout}\n"
            f"  found: {seen}\n"
            f"  mend: unpack the corpus there, or say where it is with {self.spec.name}=PATH, or {way}; "
            f"it comes from {self.spec.source} (licence: {self.spec.licence}){note}"
        )


def _content(folder: Path, shown: int = 8) -> str:
    """The names of what lies in a folder, in one line."""
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    return (
        ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if names[shown:] else "") or "nothing"
    )
