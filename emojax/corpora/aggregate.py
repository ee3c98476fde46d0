"""Aggregation of corpora by the levels of arousal, of valence, or of both as two domains.

Section 6.2 of the EmoNet paper: "random subsampling is performed on a per dataset basis. For each
corpus, the number of samples for each of the mapped classes [...] is equal to the respective sample
count of the minority class. This is applied on training, validation, and testing partitions of each
dataset separately." So no model can learn the label frequencies of a corpus.

A third domain has the common emotions (``affect.EMOTIONS``), or those of them that are given. It
keeps all clips that have one; its batches are balanced instead.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from emojax.corpora.affect import EMOTIONS, LEVELS, emotion, level
from emojax.corpora.partitions import Partition
from emojax.corpora.spec import Clip

CORPORA = "corpora"  # the corpora themselves, each with its own labels
EMOTION = "emotion"
DOMAINS = {
    "arousal": ("arousal",),
    "valence": ("valence",),
    "a+v": ("arousal", "valence"),
    EMOTION: (EMOTION,),
}
DIMENSIONS = tuple(dict.fromkeys(itertools.chain.from_iterable(DOMAINS.values())))
CHOICES = (CORPORA, *DOMAINS, *(f"{CORPORA}+{name}" for name in DOMAINS))


@dataclasses.dataclass(frozen=True)
class Domain:
    """An aggregated corpus.

    Attributes:
      labels: the levels or emotions, in the order of the logits.
      label: corpus → the level of each of its clips, int64[N], an index into ``labels``; a corpus
        with a single level is left out, here and in ``parts``.
      parts: corpus → part → the chosen clips, int64 indices, ascending; a part that lacks one of
        the corpus's levels is empty.
    """

    labels: tuple[str, ...]
    label: dict[str, np.ndarray]
    parts: dict[str, dict[str, np.ndarray]]


class Domains(NamedTuple):
    """What a setting ``domains`` asks for.

    Attributes:
      beside: whether the corpora themselves are among the domains.
      aggregated: one of ``DOMAINS``, or empty.
      emotions: the labels that the domain of common emotions may have.
    """

    beside: bool
    aggregated: str
    emotions: tuple[str, ...]


def split_domains(domains: str) -> Domains:
    """Split a setting that :func:`are_domains` allows.

    >>> split_domains("corpora+emotion:fear,anger")
    Domains(beside=True, aggregated='emotion', emotions=('fear', 'anger'))
    >>> split_domains("a+v")[:2], split_domains("emotion").emotions == EMOTIONS
    ((False, 'a+v'), True)
    """
    names, _, words = domains.partition(":")
    emotions = tuple(words.split(",")) if words else EMOTIONS
    return Domains(names.startswith(CORPORA), names.removeprefix(CORPORA).lstrip("+"), emotions)


def are_domains(domains: str) -> bool:
    """Return whether a text is one of ``CHOICES``, or ends with ``emotion:`` and its words.

    >>> are_domains("emotion:anger,fear"), are_domains("emotion:anger,rage"), are_domains("fear")
    (True, False, False)
    """
    names, colon, words = domains.partition(":")
    if not colon:
        return names in CHOICES
    chosen = words.split(",")
    distinct = len(chosen) == len(set(chosen)) > 1
    return names.removeprefix(f"{CORPORA}+") == EMOTION and distinct and set(chosen) <= {*EMOTIONS}


def aggregate(
    name: str,
    corpora: Mapping[str, tuple[Sequence[Clip], Partition]],
    seed: int = 0,
    mappings: Mapping[str, Mapping[str, str]] | None = None,
    emotions: Collection[str] = EMOTIONS,
) -> dict[str, Domain]:
    """Return the domains of an aggregated corpus, with balanced levels within each corpus.

    The clips chosen from a corpus do not depend on the other corpora.

    Args:
      name: ``"arousal"``, ``"valence"``, ``"a+v"`` for both, or ``"emotion"``.
      corpora: corpus → its clips and a partition of them.
      seed: seed of the subsampling.
      mappings: corpus → label → word of the vocabulary, for labels that it lacks
        (``affect.word``).
      emotions: common emotions that ``"emotion"`` may have; clips of others are left out.

    Returns:
      dimension → its domain.

    Raises:
      ValueError: an unknown name; no corpora; a label that is neither known nor mapped; no corpus
        with two levels of a dimension.

    >>> clips = [Clip("", label, "", "", 1.0, "", "") for label in ("anger", "fear", "sad")]
    >>> partition = Partition("", {"train": np.arange(3)})
    >>> domain = aggregate("arousal", {"demo": (clips, partition)})["arousal"]
    >>> domain.label["demo"], len(domain.parts["demo"]["train"])
    (array([1, 1, 0]), 2)
    """
    if name not in DOMAINS or not corpora:
        raise ValueError(
            f"aggregated corpus {name!r} of {', '.join(corpora) or 'no corpora'}; give one of "
            f"{', '.join(DOMAINS)}, and at least one corpus"
        )
    mappings = mappings or {}
    if name == EMOTION:
        return {EMOTION: _emotions(corpora, mappings, emotions)}
    return {dimension: _domain(dimension, corpora, seed, mappings) for dimension in DOMAINS[name]}


def _emotions(
    corpora: Mapping[str, tuple[Sequence[Clip], Partition]],
    mappings: Mapping[str, Mapping[str, str]],
    emotions: Collection[str],
) -> Domain:
    """Return the domain of common emotions; clips without one are in no part and have label -1."""
    words = {
        corpus: [emotion(clip.label, mappings.get(corpus)) for clip in clips]
        for corpus, (clips, _) in corpora.items()
    }
    there = {word for own in words.values() for word in own} & {*emotions}
    labels = tuple(word for word in EMOTIONS if word in there)
    if len(labels) < 2:
        raise ValueError(
            f"the labels of {', '.join(corpora)} have {len(labels)} of the common emotions "
            f"{', '.join(emotions)}; give label_words for them, or add a corpus"
        )
    number = {word: place for place, word in enumerate(labels)}
    label = {
        corpus: np.array([number.get(word, -1) for word in own])
        for corpus, own in words.items()
        if there & {*own}
    }
    parts = {
        corpus: {part: some[own[some] >= 0] for part, some in corpora[corpus][1].parts.items()}
        for corpus, own in label.items()
    }
    return Domain(labels, label, parts)


def _domain(
    dimension: str,
    corpora: Mapping[str, tuple[Sequence[Clip], Partition]],
    seed: int,
    mappings: Mapping[str, Mapping[str, str]],
) -> Domain:
    all_labels = {
        corpus: _label(dimension, corpus, clips, mappings.get(corpus))
        for corpus, (clips, _) in corpora.items()
    }
    label = {corpus: levels for corpus, levels in all_labels.items() if len(np.unique(levels)) > 1}
    if not label:
        raise ValueError(
            f"each of {', '.join(corpora)} has a single level of {dimension}: there is nothing to "
            "tell apart; add a corpus that has two, or map the labels otherwise"
        )
    parts = {
        corpus: {
            part: _balanced(
                indices, levels, np.random.default_rng([seed, *f"{corpus}/{part}".encode()])
            )
            for part, indices in corpora[corpus][1].parts.items()
        }
        for corpus, levels in label.items()
    }
    return Domain(LEVELS[dimension], label, parts)


def _label(
    dimension: str, corpus: str, clips: Sequence[Clip], mapping: Mapping[str, str] | None
) -> np.ndarray:
    """Return the level of each clip, int64[N]."""
    try:
        levels = {
            label: level(dimension, label, mapping) for label in {clip.label for clip in clips}
        }
    except ValueError as error:
        raise ValueError(f"corpus {corpus}: {error}") from None
    return np.array([LEVELS[dimension].index(levels[clip.label]) for clip in clips])


def _balanced(indices: np.ndarray, label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return random indices, ascending, with as many of each level as of the rarest one."""
    of_level = [indices[label[indices] == k] for k in np.unique(label)]
    fewest = min(map(len, of_level))
    return np.sort(np.concatenate([rng.choice(some, fewest, replace=False) for some in of_level]))
