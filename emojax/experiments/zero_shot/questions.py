"""Tests of a model on an unseen corpus: which clips are tested, and the words to choose from."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import numpy as np

from emojax.corpora.affect import EMOTIONS, emotion, of_corpus, parse_mapping
from emojax.corpora.aggregate import DIMENSIONS
from emojax.corpora.groups import speaker_groups
from emojax.corpora.partitions import ALL
from emojax.corpora.spec import Clip
from emojax.data.partitioned import PATHS_FILE, named_after, open_corpora
from emojax.data.prepared import PreparedCorpus
from emojax.experiments.cross_corpus.systems import learnt_clips

# Of the published comparison out of domain.
FOUR = ("anger", "happiness", "neutral", "sadness")
OF_FOUR = " (four)"


@dataclasses.dataclass(frozen=True)
class Question:
    """Tested clips of a corpus, and the words to choose from.

    Attributes:
      name: name of the corpus, followed by ``OF_FOUR`` if only the four words can be chosen.
      words: the common words that its clips have.
      indices: int64 ``[N]``, the clips.
      truth: int64 ``[N]``, the word of each.
    """

    name: str
    words: tuple[str, ...]
    indices: np.ndarray
    truth: np.ndarray


@dataclasses.dataclass(frozen=True)
class Learnt:
    """What a model and its bases learnt from.

    Attributes:
      names: names of the corpora.
      digests: digests of their parts, as in a manifest.
      clips: the clips; none of a published model, which does not name them.
    """

    names: Collection[str]
    digests: Collection[str]
    clips: tuple[Clip, ...]


def common_words(labels: Iterable[str], corpus: str, label_words: str = "") -> tuple[str, ...]:
    """Return the common words of a corpus's labels, in the order of ``EMOTIONS``.

    >>> common_words(["joy", "tired", "angry"], "calls"), common_words(["x"], "calls", "x=sad")
    (('anger', 'happiness'), ('sadness',))
    """
    mapping = of_corpus(parse_mapping(label_words), corpus)
    there = {emotion(label, mapping) for label in labels}
    return tuple(word for word in EMOTIONS if word in there)


def what_learnt(model: Path, manifest: Mapping) -> Learnt:
    """Return what a model and its bases learnt from.

    Raises:
      ValueError: the corpora of a run are not where it says, or a published model names none.
    """
    clips = tuple(learnt_clips(model, manifest)) if (model / PATHS_FILE).is_file() else ()
    names = {clip.file.partition("/")[0] for clip in clips}
    digests: set[str] = set()
    ancestor: Mapping | None = manifest
    while ancestor:
        names |= set(ancestor["partitions"])
        digests |= {part["digest"] for part in ancestor["partitions"].values()}
        ancestor = ancestor.get("base")
    names -= set(DIMENSIONS)
    if not names:
        raise ValueError(
            f"{model} does not say which corpora it learnt from, so nothing is known to be unseen; "
            "give its run, or one with --config.domains=corpora+emotion"
        )
    return Learnt(names, digests, clips)


def refuse_learnt(name: str, corpus: PreparedCorpus, learnt: Learnt, model: Path) -> None:
    """Raise a ValueError for a corpus that a model learnt from, under this name or another."""
    digest = open_corpora({name: corpus.path}, ALL, 0)[name].identity()["digest"]
    if name in learnt.names or digest in learnt.digests:
        raise ValueError(
            f"{model} learnt from corpus {name}, so it is not unseen; it learnt from "
            f"{', '.join(sorted(learnt.names))}: give another corpus, or another model"
        )


def strangers(name: str, corpus: PreparedCorpus, learnt: Learnt) -> np.ndarray:
    """Return which clips are by speakers that the model did not learn from, bool ``[N]``.

    Speakers who share a bit-identical recording count as one.
    """
    own = [named_after(name, clip) for clip in corpus.clips]
    group = speaker_groups([*own, *learnt.clips])
    return ~np.isin(group[: len(own)], group[len(own) :])


def questions(
    name: str,
    corpus: PreparedCorpus,
    unheard: np.ndarray,
    known: Collection[str],
    label_words: str = "",
) -> list[Question]:
    """Return the question for all common words of a corpus, and, if it has two, for the four.

    Args:
      name: name of the corpus.
      corpus: the corpus.
      unheard: bool ``[N]``, the clips to ask about.
      known: words of the model.
      label_words: text for :func:`emojax.corpora.affect.parse_mapping`.

    Raises:
      ValueError: the corpus has fewer than two of the words.
    """
    mapping = of_corpus(parse_mapping(label_words), name)
    meant = np.array([emotion(clip.label, mapping) for clip in corpus.clips])
    found = []
    for title, choice in ((name, EMOTIONS), (f"{name}{OF_FOUR}", FOUR)):
        words = tuple(word for word in choice if word in known and word in meant[unheard])
        indices = np.flatnonzero(unheard & np.isin(meant, words))
        truth = np.array([words.index(word) for word in meant[indices]], np.int64)
        found += [Question(title, words, indices, truth)] if len(words) > 1 else []
    if not found:
        raise ValueError(
            f"corpus {name}: of its {len(corpus.clips)} clips, {unheard.sum()} are by speakers "
            f"whom the model never heard, and these have {_listed(meant[unheard])} of its words "
            f"{', '.join(known)}; two are needed: leave it out, or say what its labels mean with "
            "--label_words"
        )
    return found


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words) - {""})) or "none"
