"""Prepared corpus on disk: its spec, its table of clips, and their audio."""

from __future__ import annotations

import csv
import dataclasses
import functools
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.corpora.columns import read_columns
from emojax.corpora.listing import prepared
from emojax.corpora.spec import Clip, CorpusSpec, read_clips

_FEATURES = {"emojax.data.tfds_features.PcmAudio"} | {
    f"tensorflow_datasets.core.features.{name}"
    for name in (
        "class_label_feature.ClassLabel",
        "features_dict.FeaturesDict",
        "scalar.Scalar",
        "text_feature.Text",
    )
}
_READ_AT_ONCE = 256
_MEND = "remove the folder and prepare the corpus again"


@dataclasses.dataclass(frozen=True)
class PreparedCorpus:
    """Corpus prepared by ``datasets``; opening it reads no audio.

    Attributes:
      spec: the description of the corpus.
      clips: one table row per recording, in the order of the records.
      path: the folder of the records.
    """

    spec: CorpusSpec
    clips: Sequence[Clip]
    path: Path

    def records(self, indices: Iterable[int]) -> Sequence[Mapping[str, Any]]:
        """Read the records of some clips only; several threads may call it.

        Raises:
          ValueError: the records do not match the table.
        """
        indices = [int(index) for index in indices]
        try:
            records = self._source.__getitems__(indices) if indices else []
        except (OSError, RuntimeError, ValueError, IndexError) as error:
            raise ValueError(f"{self.path}: {error}; {_MEND}") from error
        for index, record in zip(indices, records, strict=True):
            clip, file, length = self.clips[index], record["file"].decode(), len(record["audio"])
            if (file, length) != (clip.file, clip_length(clip)):
                raise ValueError(
                    f"{self.path}: record {index} is {file!r} of {length} samples but clips.csv "
                    f"says {clip.file!r} of {clip_length(clip)}; {_MEND}"
                )
        return records

    @functools.cached_property
    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """Further columns of the corpus's table: file → column → text."""
        try:
            return read_columns(self.path)
        except (OSError, ValueError, csv.Error) as error:
            raise ValueError(f"{self.path}: {error}; {_MEND}") from error

    @functools.cached_property
    def _source(self) -> Any:
        return _builder(self.path).as_data_source(split="all")


class Clips(Protocol):
    """Interface of clips of one corpus, in memory or on the disk."""

    @property
    def labels(self) -> np.ndarray:
        """Labels as int32 ``[N]``, indices into the corpus's label set."""

    @property
    def lengths(self) -> np.ndarray:
        """Number of samples of each clip, int64 ``[N]``."""

    @property
    def numbers(self) -> np.ndarray | None:
        """Scaled numbers instead of labels, float32 ``[N, D]``; None for labels."""

    @property
    def keys(self) -> Sequence[Hashable]:
        """Key of each clip's recording, the same in all domains of a corpus."""

    @property
    def strata(self) -> np.ndarray | None:
        """Label and source of each clip, int64 ``[N, 2]``; None if batches are not balanced."""

    def take(self, rows: np.ndarray) -> Sequence[np.ndarray]:
        """Read clips as int16 ``[n]`` at 16 kHz, one array for each."""


@dataclasses.dataclass(frozen=True)
class Recordings:
    """Clips of one corpus in memory.

    Attributes:
      samples: int16 ``[n]`` at 16 kHz, one array per clip.
      labels: int32 ``[N]``, indices into the corpus's label set.
      strata: label and source of each clip, int64 ``[N, 2]``, for balanced batches.
      numbers: scaled numbers instead of labels, float32 ``[N, D]``.
    """

    samples: Sequence[np.ndarray]
    labels: np.ndarray
    strata: np.ndarray | None = None
    numbers: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def keys(self) -> Sequence[Hashable]:
        """Key of each clip's recording: the identity of its array."""
        return [id(clip) for clip in self.samples]

    @property
    def lengths(self) -> np.ndarray:
        """Number of samples of each clip, int64 ``[N]``."""
        return np.array([len(clip) for clip in self.samples], np.int64)

    def take(self, rows: np.ndarray) -> Sequence[np.ndarray]:
        """Read clips as int16 ``[n]`` at 16 kHz, one array for each."""
        return [self.samples[row] for row in rows]


def in_memory(clips: Clips) -> Recordings:
    """Read all clips into memory."""
    return all_in_memory({"": clips})[""]


def all_in_memory(parts: Mapping[str, Clips]) -> dict[str, Recordings]:
    """Read the clips of several domains into memory; shared recordings are read once."""
    read: dict[Hashable, np.ndarray] = {}
    for part, rows in zip(parts.values(), unshared(parts), strict=True):
        read |= zip([part.keys[row] for row in rows], one_by_one(part, rows), strict=True)
    return {
        name: Recordings([read[key] for key in part.keys], part.labels, part.strata, part.numbers)
        for name, part in parts.items()
    }


def unshared(parts: Mapping[str, Clips]) -> list[np.ndarray]:
    """Return the rows of each part, int64, whose recording is in no earlier part.

    >>> clip = np.zeros(9, np.int16)
    >>> one, two = (Recordings([clip, *more], np.zeros(2)) for more in ([clip + 1], [clip + 2]))
    >>> [rows.tolist() for rows in unshared({"one": one, "two": two})]
    [[0, 1], [1]]
    """
    seen: set[Hashable] = set()
    found = []
    for part in parts.values():
        new = {key: row for row, key in reversed([*enumerate(part.keys)]) if key not in seen}
        seen |= new.keys()
        found.append(np.sort(np.array([*new.values()], np.int64)))
    return found


def one_by_one(clips: Clips, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield some clips, int16 ``[n]``; read a few at once, because reading doubles the memory."""
    for start in range(0, len(rows), _READ_AT_ONCE):
        yield from clips.take(rows[start : start + _READ_AT_ONCE])


def open_corpus(path: str | Path) -> PreparedCorpus:
    """Open a prepared corpus.

    Raises:
      ValueError: the folder is not a prepared corpus.
    """
    path = Path(path)
    try:
        info = _builder(path).info
        spec, clips = CorpusSpec.from_json(info.metadata["spec"]), read_clips(path / "clips.csv")
        if len(clips) != info.splits.total_num_examples:
            raise ValueError(
                f"clips.csv has {len(clips)} rows for {info.splits.total_num_examples} records"
            )
        return PreparedCorpus(spec, clips, path)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is not a prepared corpus ({error}); prepare it with `python -m datasets`, "
            "or, if it was moved after a run had learnt from it, write its new place into the "
            "run's corpora.json"
        ) from error


def find_corpora(names: Sequence[str], data_dir: Path) -> dict[str, PreparedCorpus]:
    """Open corpora by name, in the given order; without names, all prepared corpora.

    Raises:
      ValueError: a corpus is not prepared there, or no corpus is.
    """
    folders = prepared(data_dir)
    unknown = [name for name in names if name not in folders]
    way = f"to prepare one: python -m datasets NAME --source_dir=DIR --data_dir={data_dir}"
    if not folders:
        raise ValueError(f"no corpus is prepared in {data_dir}; {way}")
    if unknown:
        asked = ", ".join(map(repr, unknown))
        raise ValueError(
            f"corpus {asked} is not prepared in {data_dir}; there are {', '.join(folders)}; {way}"
        )
    return {name: open_corpus(folders[name]) for name in names or folders}


def clip_length(clip: Clip) -> int:
    """Return the number of samples of a clip, from its table row.

    >>> clip_length(Clip("a.wav", "joy", "", "", 0.2, "", ""))
    3200
    """
    return round(clip.duration_s * SAMPLE_RATE_HZ)


def load_recordings(corpus: PreparedCorpus, indices: np.ndarray) -> Recordings:
    """Read only the clips at ``indices`` of the corpus's table.

    Raises:
      ValueError: the records do not match the table.
    """
    records = corpus.records(indices)
    labels = np.array([record["label"] for record in records], np.int32)
    return Recordings([record["audio"] for record in records], labels)


def _builder(path: Path):
    import tensorflow_datasets as tfds  # takes seconds to import; inference does not need it

    # tfds imports any module that features.json names, and the folder may come from a stranger.
    strange = sorted(_strange(json.loads((path / "features.json").read_text("utf-8"))))
    if strange:
        raise ValueError(f"features.json names {', '.join(strange)}, which no prepared corpus has")
    try:
        return tfds.builder_from_directory(path)
    except Exception as error:  # tfds passes on those of its parsers for a damaged file
        raise ValueError(str(error)) from error


def _strange(node: Any) -> Iterator[str]:
    """Yield the class names that are not allowed, under all keys that tfds reads."""
    if isinstance(node, list):
        for inner in node:
            yield from _strange(inner)
    if isinstance(node, dict):
        for key, inner in node.items():
            if key == "pythonClassName":
                yield from {str(inner)} - _FEATURES
            elif key in ("python_class_name", "type"):
                yield f"{key} {inner}"
            yield from _strange(inner)
