"""Partitioned corpus, and the clips of a part, on the disk."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Hashable, Sequence

import numpy as np

from emojax.corpora.partitions import Partition
from emojax.corpora.spec import Clip
from emojax.data.prepared import PreparedCorpus, Recordings, clip_length, in_memory
from emojax.data.units import Units


@dataclasses.dataclass(frozen=True)
class PartitionedCorpus:
    """Training data of one head: a prepared corpus, columns of one, or several with common labels.

    Attributes:
      labels: the label set, in the order of the logits; for numbers, the names of their columns.
      clips: the sources' tables, one after the other.
      partition: the parts, as ascending indices into ``clips``.
      sources: the corpora that hold the recordings.
      balanced: batches have each label, and each source of a label, equally often.
      of_speakers: each speaker counts as a source in balanced batches.
      numbers: float64 ``[len(clips), D]``, instead of labels, not finite for clips in no part; None
        for labels.
      whole: for a domain of columns, the digest of its corpus with all clips and its own labels.
    """

    labels: tuple[str, ...]
    clips: Sequence[Clip]
    partition: Partition
    sources: Sequence[PreparedCorpus]
    balanced: bool = False
    of_speakers: bool = False
    numbers: np.ndarray | None = None
    whole: str = ""

    @functools.cached_property
    def units(self) -> Units | None:
        """Units of the numbers, of the training part; None for labels."""
        if self.numbers is None:
            return None
        return Units.of(self.numbers[self.partition.parts["train"]])

    def stored(self, part: str) -> StoredRecordings:
        """Return one part's recordings without reading them; ValueError for an empty part."""
        names = ", ".join(source.spec.name for source in self.sources)
        return StoredRecordings(self, self.partition.clips_of(part, names))

    def load(self, part: str) -> Recordings:
        """Read one part's recordings into memory."""
        return in_memory(self.stored(part))

    @functools.cached_property
    def first_clips(self) -> np.ndarray:
        """Index of the first clip of each source, int64."""
        return np.cumsum([0, *(len(source.clips) for source in self.sources[:-1])])

    def source_of(self, indices: np.ndarray) -> np.ndarray:
        """Return the number of the source of each clip."""
        return np.searchsorted(self.first_clips, indices, side="right") - 1

    def balanced_source_of(self, indices: np.ndarray) -> np.ndarray:
        """Return a number for each clip's source; with ``of_speakers``, for each speaker."""
        sources = self.source_of(indices)
        if not self.of_speakers:
            return sources
        speakers = np.array([self.clips[index].speaker for index in indices])
        return np.unique(np.char.add(sources.astype(str), speakers), return_inverse=True)[1]

    def refitted(self) -> PartitionedCorpus:
        """Return the corpus with its devel clips in train."""
        return dataclasses.replace(self, partition=self.partition.refitted())

    def identity(self) -> dict[str, str]:
        """Return the protocol and a digest of the parts, their labels and their audio."""
        rows = [
            f"{part}\t{self.clips[i].file}\t{self.clips[i].label}\t{self.clips[i].digest}"
            for part, indices in self.partition.parts.items()
            for i in indices
        ]
        digest = hashlib.blake2b("\n".join(sorted(rows)).encode(), digest_size=16).hexdigest()
        whole = {"whole": self.whole} if self.whole else {}
        return {"protocol": self.partition.protocol, "digest": digest, **whole}


@dataclasses.dataclass(frozen=True)
class StoredRecordings:
    """Clips of a corpus that are read from the disk at each access.

    Attributes:
      corpus: the corpus of the clips.
      indices: int64 ``[N]``, indices into the corpus's clips.
    """

    corpus: PartitionedCorpus
    indices: np.ndarray

    @functools.cached_property
    def labels(self) -> np.ndarray:
        """Labels as int32 ``[N]``, indices into the corpus's label set; 0 for numbers."""
        if self.corpus.numbers is not None:
            return np.zeros(len(self.indices), np.int32)
        numbers = {label: number for number, label in enumerate(self.corpus.labels)}
        return np.array(
            [numbers[self.corpus.clips[index].label] for index in self.indices], np.int32
        )

    @functools.cached_property
    def numbers(self) -> np.ndarray | None:
        """Scaled numbers, float32 ``[N, D]``; None for labels."""
        if self.corpus.numbers is None or self.corpus.units is None:
            return None
        return self.corpus.units.scaled(self.corpus.numbers[self.indices]).astype(np.float32)

    @functools.cached_property
    def keys(self) -> Sequence[Hashable]:
        """Key of each clip's recording, the same in all domains of a corpus."""
        numbers = self.corpus.source_of(self.indices)
        own = self.indices - self.corpus.first_clips[numbers]
        return [
            (str(self.corpus.sources[number].path), int(index))
            for number, index in zip(numbers, own, strict=True)
        ]

    @functools.cached_property
    def lengths(self) -> np.ndarray:
        """Number of samples of each clip, int64 ``[N]``."""
        return np.array([clip_length(self.corpus.clips[index]) for index in self.indices], np.int64)

    @functools.cached_property
    def strata(self) -> np.ndarray | None:
        """Label and source of each clip, int64 ``[N, 2]``; None if batches are not balanced."""
        if not self.corpus.balanced:
            return None
        return np.stack([self.labels, self.corpus.balanced_source_of(self.indices)], axis=1)

    def take(self, rows: np.ndarray) -> Sequence[np.ndarray]:
        """Read clips as int16 ``[n]`` at 16 kHz, one array for each.

        Raises:
          ValueError: the recordings on the disk do not match the table.
        """
        indices = self.indices[rows]
        numbers = self.corpus.source_of(indices)
        clips: dict[int, np.ndarray] = {}
        for number, source in enumerate(self.corpus.sources):
            own = indices[numbers == number]
            records = source.records(own - self.corpus.first_clips[number])
            clips |= {
                int(index): record["audio"] for index, record in zip(own, records, strict=True)
            }
        return [clips[index] for index in indices]
