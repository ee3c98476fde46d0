"""Cross-validation protocols: each fold is a partition, and the predictions are pooled."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Sequence

from emojax.corpora.groups import speaker_groups
from emojax.corpora.partitions import RANDOM, Partition, make_partition
from emojax.corpora.spec import Clip, CorpusSpec


@dataclasses.dataclass(frozen=True)
class Folds:
    """One protocol: one partition, or several whose test parts do not overlap.

    Attributes:
      protocol: description for the tables, in one line.
      partitions: one or more partitions.
    """

    protocol: str
    partitions: Sequence[Partition]


def make_folds(
    spec: CorpusSpec, clips: Sequence[Clip], scheme: str = "default", seed: int = 0
) -> Folds:
    """Return the partitions of a scheme; each clip is tested at most once.

    Args:
      spec: spec of the corpus.
      clips: all clips of the corpus, in any order.
      scheme: ``"loso"`` leaves out each speaker once, ``"fold:K"`` each of at most K groups of
        speakers, ``"random:K"`` each of K groups of recordings, whoever speaks; any other is one
        partition of :func:`~emojax.corpora.partitions.make_partition`, which says which groups
        there are.
      seed: seed of the folds that are not published.

    Raises:
      ValueError: as in `make_partition`; or there are no clips to test.

    >>> spec = CorpusSpec("demo", ("angry", "calm"))
    >>> rows = [(speaker, label) for speaker in "abcd" for label in spec.labels]
    >>> clips = [
    ...     Clip(f"{s}/{label}.wav", label, s, "", 1.0, "", digest=s + label) for s, label in rows
    ... ]
    >>> folds = make_folds(spec, clips, "loso")
    >>> folds.protocol
    'speaker-independent: leave one speaker out, 4 folds pooled'
    >>> [partition.parts["test"].tolist() for partition in folds.partitions]
    [[0, 1], [2, 3], [4, 5], [6, 7]]
    """
    several = re.fullmatch("(fold|random):([1-9][0-9]{0,8})", scheme)
    if scheme == "loso":
        # Speakers who share a recording are left out together, so one per group is enough.
        speakers = dict(zip(speaker_groups(clips), (clip.speaker for clip in clips), strict=True))
        schemes = (f"loso:{speakers[group]}" for group in sorted(speakers))
    elif several:
        schemes = (f"{several[1]}:{i}/{several[2]}" for i in range(1, int(several[2]) + 1))
    else:
        partition = make_partition(spec, clips, scheme, seed)
        partition.clips_of("test", spec.name)
        return Folds(partition.protocol, [partition])
    every = (make_partition(spec, clips, one, seed) for one in schemes)
    # The folds after the last group of speakers test nobody.
    partitions = list(itertools.takewhile(lambda one: len(one.parts["test"]), every))
    k = len(partitions)
    if scheme == "loso":
        how = f"leave one speaker out, {k} folds pooled"
    elif scheme.startswith(RANDOM):
        how = f"{k} random folds by recording pooled, stratified by label, seed {seed}"
    elif k == len(spec.folds):
        how = f"{k} published folds pooled"
    else:
        how = f"{k} folds pooled, stratified by label, seed {seed}"
    if k == 2:
        how += ", devel cut from train by recording"
    return Folds(f"{partitions[0].protocol.partition(':')[0]}: {how}", partitions)
