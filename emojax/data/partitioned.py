"""Partitioned corpora of a run: prepared ones, or domains that aggregate them."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from emojax.corpora.affect import VOCABULARY, check_corpora, of_corpus, parse_mapping, unknown
from emojax.corpora.aggregate import Domain
from emojax.corpora.aggregate import aggregate as make_domains
from emojax.corpora.partitions import Partition, make_partition
from emojax.corpora.spec import Clip
from emojax.data.prepared import PreparedCorpus, Recordings, clip_length, in_memory, open_corpus
from emojax.files import replacing

# File in a run's folder with the paths of its prepared corpora.
PATHS_FILE = "corpora.json"


@dataclasses.dataclass(frozen=True)
class PartitionedCorpus:
    """Training data of one head: a prepared corpus, or several with common labels.

    Attributes:
      labels: the label set, in the order of the logits.
      clips: the sources' tables, one after the other.
      partition: the parts, as ascending indices into ``clips``.
      sources: the corpora that hold the recordings.
    """

    labels: tuple[str, ...]
    clips: Sequence[Clip]
    partition: Partition
    sources: Sequence[PreparedCorpus]

    def stored(self, part: str) -> StoredRecordings:
        """Return one part's recordings, left on the disk; raise a ValueError for an empty part."""
        names = ", ".join(source.spec.name for source in self.sources)
        return StoredRecordings(self, self.partition.clips_of(part, names))

    def load(self, part: str) -> Recordings:
        """Read one part's recordings, and no others."""
        return in_memory(self.stored(part))

    def identity(self) -> dict[str, str]:
        """Return the protocol and a digest of the parts; only the same data has the same digest."""
        rows = [
            f"{part}\t{self.clips[i].file}\t{self.clips[i].label}\t{self.clips[i].digest}"
            for part, indices in self.partition.parts.items()
            for i in indices
        ]
        digest = hashlib.blake2b("\n".join(sorted(rows)).encode(), digest_size=16).hexdigest()
        return {"protocol": self.partition.protocol, "digest": digest}


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
        """Labels as int32 ``[N]``, indices into the corpus's label set."""
        numbers = {label: number for number, label in enumerate(self.corpus.labels)}
        return np.array(
            [numbers[self.corpus.clips[index].label] for index in self.indices], np.int32
        )

    @functools.cached_property
    def lengths(self) -> np.ndarray:
        """Number of samples of each clip, int64 ``[N]``."""
        return np.array([clip_length(self.corpus.clips[index]) for index in self.indices], np.int64)

    def take(self, rows: np.ndarray) -> Sequence[np.ndarray]:
        """Read clips as int16 ``[n]`` at 16 kHz, one array for each.

        Raises:
          ValueError: the recordings on the disk do not match the table.
        """
        indices = self.indices[rows]
        starts = np.cumsum([0, *(len(source.clips) for source in self.corpus.sources)])
        clips: dict[int, np.ndarray] = {}
        for source, (start, stop) in zip(self.corpus.sources, pairwise(starts), strict=True):
            own = indices[(start <= indices) & (indices < stop)]
            records = source.records(own - start)
            clips |= {
                int(index): record["audio"] for index, record in zip(own, records, strict=True)
            }
        return [clips[index] for index in indices]


def open_corpora(
    paths: Mapping[str, Path], partition: str, seed: int, aggregate: str = "", label_words: str = ""
) -> dict[str, PartitionedCorpus]:
    """Open and partition the prepared corpora, and aggregate them if wanted; read no audio.

    Args:
      paths: corpus → prepared folder.
      partition: the scheme for :func:`emojax.corpora.partitions.make_partition`.
      seed: seed of the partition and of the choice of a domain's clips.
      aggregate: one of ``DOMAINS``, or empty for the corpora themselves.
      label_words: the text for :func:`emojax.corpora.affect.parse_mapping`.

    Returns:
      corpus, or dimension of affect → partitioned corpus.

    Raises:
      ValueError: a corpus cannot be partitioned; a label is neither known nor mapped, or is mapped
        for a missing corpus; a part of a domain is empty.
    """
    if not aggregate:
        return _open(paths, partition, seed)
    domains = open_levels(paths, partition, seed, aggregate, label_words)
    return {
        dimension: _join(dimension, corpora, [name for name in paths if name not in corpora])
        for dimension, corpora in domains.items()
    }


def open_levels(
    paths: Mapping[str, Path], partition: str, seed: int, aggregate: str, label_words: str = ""
) -> dict[str, dict[str, PartitionedCorpus]]:
    """Open the corpora of each domain separately; clips get their corpus's name and their level.

    The arguments and errors are those of :func:`open_corpora`, but a part that lacks a level of its
    corpus is empty.

    Returns:
      dimension → corpus → that corpus with the dimension's levels; corpora with a single level are
        left out.
    """
    corpora = _open(paths, partition, seed)
    words = parse_mapping(label_words)
    check_corpora(words, {name: corpus.labels for name, corpus in corpora.items()})
    mappings = {name: of_corpus(words, name) for name in corpora}
    _refuse_unknown(corpora, mappings)
    tables = {name: (corpus.clips, corpus.partition) for name, corpus in corpora.items()}
    domains = make_domains(aggregate, tables, seed, mappings)
    return {
        dimension: {name: _levelled(name, domain, corpora[name]) for name in domain.label}
        for dimension, domain in domains.items()
    }


def _open(paths: Mapping[str, Path], scheme: str, seed: int) -> dict[str, PartitionedCorpus]:
    corpora = {}
    for name, path in paths.items():
        corpus = open_corpus(path)
        partition = make_partition(corpus.spec, corpus.clips, scheme, seed)
        corpora[name] = PartitionedCorpus(corpus.spec.labels, corpus.clips, partition, [corpus])
    return corpora


def _refuse_unknown(
    corpora: Mapping[str, PartitionedCorpus], mappings: Mapping[str, Mapping[str, str]]
) -> None:
    """Raise one ValueError that names all labels to be mapped, of all corpora."""
    strange = {
        name: unknown((clip.label for clip in corpus.clips), mappings[name])
        for name, corpus in corpora.items()
    }
    labels = sorted({label for some in strange.values() for label in some})
    if labels:
        where = "; ".join(f"{name}: {', '.join(some)}" for name, some in strange.items() if some)
        example = ",".join(f"{label}=neutral" for label in labels)
        raise ValueError(
            f"labels without a known arousal and valence ({where}); say what each of them means "
            "with --config.label_words (train.py) or --label_words (experiments), as in "
            f"'{example}', with words out of {', '.join(VOCABULARY)}"
        )


def named_after(corpus: str, clip: Clip) -> Clip:
    """Prefix a clip's file and speaker with its corpus, since corpora may share speaker names."""
    return dataclasses.replace(
        clip, file=f"{corpus}/{clip.file}", speaker=clip.speaker and f"{corpus}/{clip.speaker}"
    )


def _levelled(name: str, domain: Domain, corpus: PartitionedCorpus) -> PartitionedCorpus:
    """Label one corpus of a domain with the domain's levels."""
    clips = [
        dataclasses.replace(named_after(name, clip), label=domain.labels[level])
        for clip, level in zip(corpus.clips, domain.label[name], strict=True)
    ]
    partition = Partition(corpus.partition.protocol, domain.parts[name])
    return PartitionedCorpus(domain.labels, clips, partition, corpus.sources)


def _join(
    dimension: str, corpora: Mapping[str, PartitionedCorpus], left_out: Sequence[str]
) -> PartitionedCorpus:
    """Join the corpora of a domain into one corpus, by concatenating their tables."""
    clips: list[Clip] = []
    pieces: dict[str, list[np.ndarray]] = {}
    for corpus in corpora.values():
        for part, chosen in corpus.partition.parts.items():
            pieces.setdefault(part, []).append(chosen + len(clips))
        clips += corpus.clips
    parts = {part: np.concatenate(some) for part, some in pieces.items()}
    empty = [part for part, indices in parts.items() if not len(indices)]
    if empty:
        raise ValueError(
            f"{dimension}: no clips for {', '.join(empty)}, because no corpus has there each of "
            "its levels; add a corpus, or give another --config.partition or --config.seed"
        )
    labels = next(iter(corpora.values())).labels
    sources = [source for corpus in corpora.values() for source in corpus.sources]
    return PartitionedCorpus(
        labels, clips, Partition(joint_protocol(corpora, left_out), parts), sources
    )


def joint_protocol(corpora: Mapping[str, PartitionedCorpus], left_out: Sequence[str]) -> str:
    """Describe in one line how a domain's corpora are divided, and which are left out."""
    members: dict[str, list[str]] = {}
    gaps = ""
    for name, corpus in corpora.items():
        members.setdefault(corpus.partition.protocol, []).append(name)
        parts = corpus.partition.parts
        gaps += "".join(
            f"; nothing of {name} in {part}" for part, chosen in parts.items() if not len(chosen)
        )
    if left_out:
        gaps += f"; left out, having a single level: {', '.join(left_out)}"
    how = "; ".join(f"{', '.join(names)}: {protocol}" for protocol, names in members.items())
    return f"levels equally frequent in each part of each corpus; {how}{gaps}"


def write_paths(workdir: Path, paths: Mapping[str, Path]) -> None:
    """Save the paths of the prepared corpora, for the evaluation of the run."""
    absolute = {name: str(path.absolute()) for name, path in paths.items()}
    with replacing(workdir / PATHS_FILE) as draft:
        draft.write_text(json.dumps(absolute, indent=1) + "\n", encoding="utf-8")


def read_paths(workdir: Path) -> dict[str, Path]:
    """Load the path of each prepared corpus, as saved by :func:`write_paths`.

    Raises:
      ValueError: the file is missing or damaged.
    """
    try:
        noted = json.loads((workdir / PATHS_FILE).read_text("utf-8"))
        return {name: Path(path) for name, path in noted.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(
            f"{workdir} does not say where its corpora lie ({error}), as no published model does; "
            "give the folder of a run, and if this is one, run train.py again"
        ) from error
