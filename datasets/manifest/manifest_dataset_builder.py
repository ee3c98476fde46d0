"""The tfds builder of any folder of audio with a CSV that says what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import tensorflow_datasets as tfds

from datasets.base import Source, SpeechBuilder
from datasets.manifest.table import find_csvs, fingerprint, read_sources
from emojax.corpora.spec import CorpusSpec


class Builder(SpeechBuilder):
    """A corpus that its CSV describes; labels are whatever the CSV says, in alphabetical order.

    Args:
      config: the corpus's name.
      source_dir: the CSV, or the folder that holds it or the CSVs of the parts.
      kwargs: as for every ``SpeechBuilder``.
    """

    def __init__(self, *, config: str, source_dir: str | Path, **kwargs):
        csvs = find_csvs(Path(source_dir))
        self._sources = read_sources(csvs)
        self._spec = CorpusSpec(config, tuple(sorted({source.label for source in self._sources})))
        self._fingerprint = fingerprint(csvs)
        super().__init__(config=tfds.core.BuilderConfig(name=config), source_dir=source_dir, **kwargs)

    @property
    def fingerprint(self) -> str:
        """The CSVs and their place."""
        return self._fingerprint

    @property
    def spec(self) -> CorpusSpec:
        """The name and the labels; a CSV says no more."""
        return self._spec

    def sources(self) -> Iterable[Source]:
        """The recordings in the order of the rows."""
        return self._sources
