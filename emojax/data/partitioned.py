"""Partitioned corpora of a run: prepared corpora, and domains of several corpora."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emojax.corpora.affect import VOCABULARY, check_corpora, of_corpus, parse_mapping, unknown
from emojax.corpora.aggregate import CORPORA, EMOTION, Domain, Domains, split_domains
from emojax.corpora.aggregate import aggregate as make_domains
from emojax.corpora.partitions import PARTS, Partition, make_partition
from emojax.corpora.spec import Clip
from emojax.data.label_columns import with_columns
from emojax.data.partitioned_corpus import PartitionedCorpus
from emojax.data.prepared import open_corpus
from emojax.files import replacing

# File in a run's folder with the paths of its prepared corpora.
PATHS_FILE = "corpora.json"


def open_corpora(
    paths: Mapping[str, Path],
    partition: str,
    seed: int,
    domains: str = CORPORA,
    label_words: str = "",
    refit: bool = False,
    balance_speakers: bool = False,
    columns: str = "",
) -> dict[str, PartitionedCorpus]:
    """Open and partition the prepared corpora, and make their domains; read no audio.

    Args:
      paths: corpus → prepared folder.
      partition: the scheme for :func:`emojax.corpora.partitions.make_partition`.
      seed: seed of the partition and of the choice of a domain's clips.
      domains: ``"corpora"``, one of ``DOMAINS``, or both, as in ``"corpora+emotion"``; emotions
        may be chosen, as in ``"emotion:anger,fear"``.
      label_words: the text for :func:`emojax.corpora.affect.parse_mapping`.
      refit: move the devel clips to train.
      balance_speakers: batches have each label, and each speaker of a label, equally often. Clips
        of a corpus without speakers count as clips of one speaker.
      columns: the text for :func:`emojax.corpora.columns.parse_columns`, which makes columns of
        tables domains.

    Returns:
      name of the domain (corpus, columns of a corpus, or dimension of affect) → partitioned corpus.

    Raises:
      ValueError: a corpus cannot be partitioned; a column cannot be learnt; a label is neither
        known nor mapped; a label is mapped for a missing corpus; or a part of a domain is empty.
    """
    asked = split_domains(domains)
    own = _open(paths, partition, seed)
    there = [part for part in PARTS if any(len(one.partition.parts[part]) for one in own.values())]
    if asked.beside and "test" in there:
        there.remove("test")  # the corpora's own heads are tested without it
    labelled = {name: one for name, one in own.items() if one.labels}
    aggregated = _aggregated(labelled, seed, asked, label_words) if asked.aggregated else {}
    beside = own if asked.beside else {}
    corpora = {name: one.refitted() if refit else one for name, one in beside.items()}
    corpora = with_columns(corpora, columns)
    if both := set(corpora) & set(aggregated):
        raise ValueError(f"domains={domains!r} with a corpus {', '.join(both)}; name it otherwise")
    for name, some in aggregated.items():
        joined = _join(name, some, [one for one in paths if one not in some], there)
        corpora[name] = joined.refitted() if refit else joined
    if balance_speakers:
        corpora = {
            name: dataclasses.replace(one, balanced=True, of_speakers=True)
            for name, one in corpora.items()
        }
    return corpora


def open_levels(
    paths: Mapping[str, Path], partition: str, seed: int, aggregate: str, label_words: str = ""
) -> dict[str, dict[str, PartitionedCorpus]]:
    """Open the corpora of each domain separately; the labels of clips are levels.

    Arguments and errors are those of :func:`open_corpora`. A part that lacks a level of its corpus
    is empty.

    Returns:
      dimension → corpus → that corpus with the dimension's levels, without corpora that have a
        single level or no common emotion.
    """
    return _aggregated(_open(paths, partition, seed), seed, split_domains(aggregate), label_words)


def _aggregated(
    corpora: Mapping[str, PartitionedCorpus], seed: int, asked: Domains, label_words: str
) -> dict[str, dict[str, PartitionedCorpus]]:
    words = parse_mapping(label_words)
    check_corpora(words, {name: corpus.labels for name, corpus in corpora.items()})
    mappings = {name: of_corpus(words, name) for name in corpora}
    if asked.aggregated != EMOTION:
        _refuse_unknown(corpora, mappings)
    tables = {name: (corpus.clips, corpus.partition) for name, corpus in corpora.items()}
    domains = make_domains(asked.aggregated, tables, seed, mappings, asked.emotions)
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
    """Raise one ValueError with all unknown labels of all corpora."""
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
    """Add the corpus's name to a clip's file and speaker, since corpora may share names."""
    return dataclasses.replace(
        clip, file=f"{corpus}/{clip.file}", speaker=clip.speaker and f"{corpus}/{clip.speaker}"
    )


def _levelled(name: str, domain: Domain, corpus: PartitionedCorpus) -> PartitionedCorpus:
    """Label one corpus of a domain with the domain's levels."""
    clips = [
        dataclasses.replace(named_after(name, clip), label=domain.labels[level])  # any, for no part
        for clip, level in zip(corpus.clips, domain.label[name], strict=True)
    ]
    partition = Partition(corpus.partition.protocol, domain.parts[name])
    return PartitionedCorpus(domain.labels, clips, partition, corpus.sources)


def _join(
    dimension: str,
    corpora: Mapping[str, PartitionedCorpus],
    left_out: Sequence[str],
    needed: Sequence[str],
) -> PartitionedCorpus:
    """Join the corpora of a domain into one corpus, by concatenating their tables."""
    clips: list[Clip] = []
    pieces: dict[str, list[np.ndarray]] = {}
    for corpus in corpora.values():
        for part, chosen in corpus.partition.parts.items():
            pieces.setdefault(part, []).append(chosen + len(clips))
        clips += corpus.clips
    parts = {part: np.concatenate(some) for part, some in pieces.items()}
    empty = [part for part in needed if not len(parts[part])]
    if empty:
        raise ValueError(
            f"{dimension}: no clips for {', '.join(empty)}, because no corpus has there each of "
            "its levels; add a corpus, or give another --config.partition or --config.seed"
        )
    labels = next(iter(corpora.values())).labels
    sources = [source for corpus in corpora.values() for source in corpus.sources]
    balanced = dimension == EMOTION
    protocol = joint_protocol(corpora, left_out, balanced)
    return PartitionedCorpus(labels, clips, Partition(protocol, parts), sources, balanced)


def joint_protocol(
    corpora: Mapping[str, PartitionedCorpus], left_out: Sequence[str], balanced: bool = False
) -> str:
    """Describe in one line how the corpora of a domain are partitioned, and which are left out."""
    members: dict[str, list[str]] = {}
    gaps = ""
    for name, corpus in corpora.items():
        members.setdefault(corpus.partition.protocol, []).append(name)
        parts = corpus.partition.parts
        gaps += "".join(
            f"; nothing of {name} in {part}"
            for part, chosen in parts.items()
            if not len(chosen) and any(len(one.partition.parts[part]) for one in corpora.values())
        )
        if without := len(corpus.clips) - sum(map(len, parts.values())) if balanced else 0:
            gaps += f"; of other labels and left out: {without} of {len(corpus.clips)} of {name}"
    if left_out:
        why = "having no common emotion" if balanced else "having a single level"
        gaps += f"; left out, {why}: {', '.join(left_out)}"
    how = "; ".join(f"{', '.join(names)}: {protocol}" for protocol, names in members.items())
    what = "levels equally frequent in each part of each corpus"
    if balanced:
        what = "common emotions, batches balanced over labels and corpora"
    return f"{what}; {how}{gaps}"


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
