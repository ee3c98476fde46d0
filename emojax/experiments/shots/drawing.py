"""Training sets of k clips per label: drawn by seed, nested, and spread over speakers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from emojax.corpora.groups import speaker_groups
from emojax.corpora.partitions import Partition
from emojax.corpora.spec import Clip

# Instead of a number of clips per label: every clip.
EVERY = "all"


def parse_shots(items: Iterable[str]) -> list[str]:
    """Return the numbers of clips per label, ascending, and ``all`` at the end.

    Raises:
      ValueError: a text is not a whole number of 1 or more.

    >>> parse_shots(["20", "1", "5"])
    ['1', '5', '20', 'all']
    """
    texts = [item.strip() for item in items if item.strip() != EVERY]
    if not all(text.isdecimal() and int(text) for text in texts):
        raise ValueError(
            f"--shots={','.join(texts)}; give numbers of clips a label, as in --shots=1,5,20"
        )
    return [*map(str, sorted({int(text) for text in texts})), EVERY]


def drawn(fold: Partition, clips: Sequence[Clip], shots: str, seed: int) -> Partition:
    """Return a fold with k training clips per label, by the speakers of its train and devel parts.

    The clips for a smaller k are among those for a larger k. For each label, every speaker has a
    clip before any speaker has a second one. If a label has fewer than k clips, all are used.

    Args:
      fold: the fold; its test part stays.
      clips: the table of the corpus.
      shots: k, the number of clips per label, or ``EVERY``.
      seed: seed of the choice.
    """
    parts = fold.refitted().parts
    train = parts["train"]
    if shots == EVERY:
        chosen, what = train, "every labelled clip of the training speakers"
    else:
        labels = np.array([clips[i].label for i in train])
        rank = ranks(labels, speaker_groups(clips)[train], seed)
        chosen = train[rank < int(shots)]
        what = f"{shots} labelled clips a label of the training speakers, drawn with seed {seed}"
    return Partition(f"{fold.protocol}; {what}", {**parts, "train": chosen})


def ranks(labels: np.ndarray, speakers: np.ndarray, seed: int) -> np.ndarray:
    """Return each clip's place in the order in which its label's clips are drawn, int64 ``[N]``.

    Args:
      labels: ``[N]``.
      speakers: ``[N]``.
      seed: seed of the order.

    >>> ranks(np.array(["joy"] * 4), np.array([0, 0, 0, 1]), seed=0).tolist()
    [2, 3, 0, 1]
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    taken: dict[tuple, int] = {}
    turn = np.empty(len(labels), np.int64)
    for i in order:  # how many clips of its speaker and label come before it
        key = labels[i], speakers[i]
        turn[i] = taken[key] = taken.get(key, -1) + 1
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        own = order[labels[order] == label]
        rank[own[np.argsort(turn[own], kind="stable")]] = np.arange(len(own))
    return rank
