"""The tfds builder of any folder of audio with a CSV that describes it."""

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
    """Builder of a corpus from a CSV; the labels are those of the CSV, in alphabetical order.

    Without a column of labels it has none, and only its further columns can be learnt.

    If the name is in the catalogue, the spec of the catalogue is used.

    Args:
      config: name of the corpus.
      source_dir: a CSV, a folder with one CSV or with the CSVs of the parts, or an audformat
        database.
      kwargs: arguments of ``SpeechBuilder``.
    """

    def __init__(self, *, config: str, source_dir: str | Path, **kwargs):
        self._sources, self._fingerprint, self._remarks = _read(Path(source_dir))
        self._spec = _spec(
            config,
            {source.label for source in self._sources} - {""},
            {source.speaker for source in self._sources},
        )
        if sexes := _sexes(self._sources):
            self._spec = dataclasses.replace(self._spec, sexes=sexes)
        super().__init__(
            config=tfds.core.BuilderConfig(name=config), source_dir=source_dir, **kwargs
        )

    @property
    def fingerprint(self) -> str:
        """Hash of the tables."""
        return self._fingerprint

    @property
    def remarks(self) -> list[str]:
        """Notes on the columns that were read."""
        return self._remarks

    @property
    def spec(self) -> CorpusSpec:
        """Name and labels, and the facts of the catalogue, if any."""
        return self._spec

    def sources(self) -> Iterable[Source]:
        """Return the recordings in the order of the rows."""
        return self._sources


def _read(source: Path) -> tuple[list[Source], str, list[str]]:
    """Return the recordings, the fingerprint of the tables, and remarks for the user."""
    if audformat_database.is_database(source):
        sources, remark = audformat_database.read_database(source)
        return sources, audformat_database.fingerprint(source), [remark]
    csvs = find_csvs(source)
    return read_sources(csvs), fingerprint(csvs), columns_read(csvs)


def _spec(name: str, labels: set[str], speakers: set[str]) -> CorpusSpec:
    """Return the catalogue's spec with the labels of the CSV, or a spec of name and labels.

    The published partition is kept only if the CSV has exactly its speakers. A CSV with labels that
    the corpus of this name does not have is taken for another corpus, if there is a known layout.

    Raises:
      CorpusError: a label that the catalogue's corpus, which has no layout, does not have.
    """
    known = CATALOGUE.get(name)
    strange = labels - set(known.labels) if known and known.labels else set()
    if known is None or (known.layout and strange):
        return CorpusSpec(name, tuple(sorted(labels)))
    if strange:
        raise CorpusError(
            f"{name}: labels {', '.join(sorted(strange))}; {known.full_name} has "
            f"{', '.join(known.labels)}; rename the labels in the CSV, or give the corpus another "
            "name"
        )
    order = known.labels or sorted(labels)
    found = dataclasses.replace(known, labels=tuple(label for label in order if label in labels))
    published = {speaker for group in (*known.parts.values(), *known.folds) for speaker in group}
    if speakers == published:
        return found
    return dataclasses.replace(found, parts={}, folds=(), sexes={})


def _sexes(sources: Iterable[Source]) -> dict[str, tuple[str, ...]]:
    """Return the speakers of each sex; CorpusError for a speaker of two."""
    found: dict[str, dict[str, None]] = {}
    for source in sources:
        if source.sex and source.speaker:
            found.setdefault(source.sex, {})[source.speaker] = None
    if both := {*found.get("female", ())} & {*found.get("male", ())}:
        raise CorpusError(
            f"the speakers {', '.join(sorted(both))} are female in some rows and male in others; "
            "give each speaker one sex, or leave that column out"
        )
    return {sex: tuple(sorted(some)) for sex, some in sorted(found.items())}
