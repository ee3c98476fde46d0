"""The tfds builder of any folder of audio with a CSV that says what is in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import tensorflow_datasets as tfds

from datasets.base import CorpusError, Source, SpeechBuilder
from datasets.manifest import audformat_database
from datasets.manifest.table import columns_read, find_csvs, fingerprint, read_sources
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import CorpusSpec


class Builder(SpeechBuilder):
    """A corpus that its CSV describes; labels are whatever the CSV says, in alphabetical order.

    A corpus of the catalogue is described by the catalogue, too.

    Args:
      config: the corpus's name.
      source_dir: the CSV, or the folder that holds it or the CSVs of the parts; or an audformat
        database.
      kwargs: as for every ``SpeechBuilder``.
    """

    def __init__(self, *, config: str, source_dir: str | Path, **kwargs):
        self._sources, self._fingerprint, self._remarks = _read(Path(source_dir))
        self._spec = _spec(
            config,
            {source.label for source in self._sources},
            {source.speaker for source in self._sources},
        )
        super().__init__(
            config=tfds.core.BuilderConfig(name=config), source_dir=source_dir, **kwargs
        )

    @property
    def fingerprint(self) -> str:
        """What the tables say."""
        return self._fingerprint

    @property
    def remarks(self) -> list[str]:
        """How the columns were read."""
        return self._remarks

    @property
    def spec(self) -> CorpusSpec:
        """The name and the labels, and what the catalogue may know besides."""
        return self._spec

    def sources(self) -> Iterable[Source]:
        """The recordings in the order of the rows."""
        return self._sources


def _read(source: Path) -> tuple[list[Source], str, list[str]]:
    """The recordings, the fingerprint of what says them, and what a person should know of it."""
    if audformat_database.is_database(source):
        sources, remark = audformat_database.read_database(source)
        return sources, audformat_database.fingerprint(source), [remark]
    csvs = find_csvs(source)
    return read_sources(csvs), fingerprint(csvs), columns_read(csvs)


def _spec(name: str, labels: set[str], speakers: set[str]) -> CorpusSpec:
    """The catalogue's spec, with those of its labels that the CSV has; else the name and the labels.

    The published partition, which is one of speakers, is that of a CSV that has all of them.  With
    labels of its own, a CSV under the name of a corpus that has a layout is another corpus.

    Raises:
      CorpusError: for a label that the catalogue's corpus, which has no layout, does not have.
    """
    known = CATALOGUE.get(name)
    strange = labels - set(known.labels) if known and known.labels else set()
    if known is None or (known.layout and strange):
        return CorpusSpec(name, tuple(sorted(labels)))
    if strange:
        raise CorpusError(
            f"{name}: labels {', '.join(sorted(strange))}; {known.full_name} has {', '.join(known.labels)}; "
            "rename the labels in the CSV, or give the corpus another name"
        )
    order = known.labels or sorted(labels)
    found = dataclasses.replace(known, labels=tuple(label for label in order if label in labels))
    published = {speaker for group in (*known.parts.values(), *known.folds) for speaker in group}
    return found if speakers == published else dataclasses.replace(found, parts={}, folds=())
