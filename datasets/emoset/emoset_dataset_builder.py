"""The tfds builder of all corpora whose publisher's layout is known here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from pathlib import Path

import tensorflow_datasets as tfds

from datasets.base import CorpusError, Skipped, Source, SpeechBuilder
from datasets.emoset import corpora
from emojax.corpora.spec import CorpusSpec

CORPORA = {
    module.name: importlib.import_module(f"{corpora.__name__}.{module.name}")
    for module in pkgutil.iter_modules(corpora.__path__)
}


class Builder(SpeechBuilder):
    """One config per corpus; the publisher's folder is `source_dir`, and nothing is ever downloaded."""

    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name=name, description=module.__doc__) for name, module in CORPORA.items()
    ]

    @property
    def spec(self) -> CorpusSpec:
        """What the corpus is."""
        return CORPORA[self.builder_config.name].SPEC

    def sources(self) -> Iterable[Source | Skipped]:
        """The recordings in the order of their names."""
        corpus = CORPORA[self.builder_config.name]
        sources = list(corpus.clips(self.source_dir))
        if not any(isinstance(source, Source) for source in sources):
            raise CorpusError(
                f"{self.spec.name}: no recording in {self.source_dir}, which holds {_content(self.source_dir)}. "
                f"Expected the publisher's files, like {self.source_dir / corpus.LAYOUT}. The corpus is to be "
                f"had from {self.spec.source} (licence: {self.spec.licence}); nothing is downloaded from here."
            )
        return sources


def _content(folder: Path, shown: int = 5) -> str:
    """What lies in a folder, in a few words."""
    if not folder.is_dir():
        return "nothing: there is no such folder"
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if names[shown:] else "") or "nothing"
