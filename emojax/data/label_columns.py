"""Domains of columns of a corpus's table: words or numbers, with the audio of the corpus."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from emojax.corpora.columns import LABEL, domain_name, is_missing, is_number, parse_columns
from emojax.corpora.partitions import Partition
from emojax.corpora.spec import MOST_LABELS, check_name
from emojax.data.partitioned_corpus import PartitionedCorpus

FEWEST_CLIPS = 5  # with numbers, in train and devel; a concordance of fewer means nothing
LARGEST = 1e30  # larger numbers stand for missing ones, such as -1.8e308 in SPSS
_MEND = "mend the column and prepare the corpus again"


def with_columns(
    corpora: Mapping[str, PartitionedCorpus], columns: str
) -> dict[str, PartitionedCorpus]:
    """Replace corpora by the domains of their columns.

    A corpus that ``columns`` does not name stays. All domains of a corpus have its partition, so
    that no speaker is in train of one domain and in test of another.

    Args:
      corpora: corpus → the partitioned corpus with its labels.
      columns: the text for :func:`emojax.corpora.columns.parse_columns`.

    Raises:
      ValueError: there is no such corpus or column, a corpus has no labels, or a column has both
        words and numbers, missing values that are no empty cells, a single value or too few clips.
    """
    asked = parse_columns(columns)
    if strange := [name for name in asked if name not in corpora]:
        raise ValueError(
            f"columns={columns!r}: no corpus {', '.join(strange)} with a head of its own; there "
            f"are {', '.join(corpora) or 'none'}"
        )
    found: dict[str, PartitionedCorpus] = {}
    for name, corpus in corpora.items():
        for group in asked.get(name, [(LABEL,)]):
            domain = check_name(domain_name(name, group))
            if domain in found or (domain in corpora and group != (LABEL,)):
                raise ValueError(f"columns={columns!r}: two domains {domain}; rename a column")
            found[domain] = _domain(name, corpus, group)
    return found


def _domain(name: str, corpus: PartitionedCorpus, columns: Sequence[str]) -> PartitionedCorpus:
    if tuple(columns) == (LABEL,) and corpus.labels:
        return corpus
    table = corpus.sources[0].columns
    there = [*dict.fromkeys(column for row in table.values() for column in row)]
    if tuple(columns) == (LABEL,):
        raise ValueError(
            f"corpus {name} has no labels; choose columns: --config.columns={name}:COLUMN, with "
            f"one of {', '.join(there)}"
        )
    missing = [column for column in columns if column not in there]
    if missing:
        raise ValueError(
            f"corpus {name}: there is no column {', '.join(map(repr, missing))}; there are "
            f"{', '.join(there) or 'none beside the labels'}"
        )
    rows = [table.get(clip.file, {}) for clip in corpus.clips]
    texts = [[row.get(column, "") for column in columns] for row in rows]
    where = f"corpus {name}, column {'+'.join(columns)}"
    if len(columns) == 1 and not any(is_number(one) for (one,) in texts):
        return _of_words(where, corpus, [one for (one,) in texts])
    return _of_numbers(where, corpus, columns, texts)


def _of_words(where: str, corpus: PartitionedCorpus, words: Sequence[str]) -> PartitionedCorpus:
    """Return the domain of a column of words; its labels are in alphabetical order."""
    for word in words:
        if word and is_missing(word):
            raise ValueError(
                f"{where}: {word!r} looks like no word; leave the cell empty where nothing is "
                "said, or rename it"
            )
    there = np.array([bool(word) for word in words])
    corpus = _restricted(where, corpus, there)
    train = {words[i] for i in corpus.partition.parts["train"]}
    labels = tuple(sorted({*words} - {""}))
    alike = len({label.casefold() for label in labels}) < len(labels)
    if not 2 <= len(labels) <= MOST_LABELS or alike or train != {*labels}:
        lacking = ", ".join(sorted({*labels} - train)[:5])
        what = f"{len(labels)} different words"
        what += ", some of which differ by case only" * alike
        what += f"; not in train: {lacking}" * bool(lacking)
        raise ValueError(
            f"{where}: {what}; a column of labels has from 2 to {MOST_LABELS} words, each of them "
            f"in train, and each in one spelling; {_MEND}"
        )
    clips = [
        dataclasses.replace(clip, label=word)
        for clip, word in zip(corpus.clips, words, strict=True)
    ]
    return dataclasses.replace(corpus, labels=labels, clips=clips)


def _of_numbers(
    where: str, corpus: PartitionedCorpus, columns: Sequence[str], texts: Sequence[Sequence[str]]
) -> PartitionedCorpus:
    """Return the domain of columns of numbers; a clip that lacks a number is in no part."""
    for clip, row in zip(corpus.clips, texts, strict=True):
        for column, text in zip(columns, row, strict=True):
            if text and not (is_number(text) and abs(float(text)) <= LARGEST):
                raise ValueError(
                    f"{where}: {text!r} of {clip.file} in column {column} is no number from "
                    f"{-LARGEST:g} to {LARGEST:g}; leave the cell empty where there is none; "
                    f"{_MEND}"
                )
    values = np.array([[float(text or "nan") for text in row] for row in texts])
    corpus = _restricted(where, corpus, np.isfinite(values).all(axis=1))
    for part in ("train", "devel"):
        count = len(corpus.partition.parts[part])
        if count < FEWEST_CLIPS and (part == "train" or count):
            raise ValueError(
                f"{where}: {count} clips with numbers in {part}; give at least {FEWEST_CLIPS}"
            )
    learnt = values[corpus.partition.parts["train"]]
    for column, own in zip(columns, learnt.T, strict=True):
        if np.ptp(own) == 0:
            raise ValueError(
                f"{where}: all clips of train have {own[0]:g} in column {column}, so there is "
                "nothing to learn; leave the column out"
            )
    clips = [
        dataclasses.replace(clip, label=" ".join(row))
        for clip, row in zip(corpus.clips, texts, strict=True)
    ]
    return dataclasses.replace(corpus, labels=tuple(columns), clips=clips, numbers=values)


def _restricted(where: str, corpus: PartitionedCorpus, there: np.ndarray) -> PartitionedCorpus:
    """Remove the clips without a value from the parts, and add their number to the protocol."""
    parts = {part: rows[there[rows]] for part, rows in corpus.partition.parts.items()}
    if not len(parts["train"]):
        raise ValueError(f"{where}: no clip of train has a value; {_MEND}")
    protocol, without = corpus.partition.protocol, int((~there).sum())
    if without:
        protocol += f"; without a value and left out: {without} of {len(there)} clips"
    for part, rows in corpus.partition.parts.items():
        protocol += f", all of {part}" * (len(rows) > 0 == len(parts[part]))
    return dataclasses.replace(
        corpus, partition=Partition(protocol, parts), whole=corpus.identity()["digest"]
    )
