"""Groups of clips that must stay together, and their even assignment to parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from emojax.corpora.segments import recording_of
from emojax.corpora.spec import Clip


def speaker_groups(clips: Sequence[Clip]) -> np.ndarray:
    """Return the group of each clip, int[N], numbered in the order of the speakers' names.

    A group is a speaker, or several speakers who share a bit-identical recording (an equal digest).
    If the speaker is unknown, a group is a recording with all of its segments.

    >>> rows = [("b", "1"), ("a", "2"), ("c", "2"), ("b", "3")]
    >>> clips = [Clip("", "", speaker, "", 1.0, "", digest) for speaker, digest in rows]
    >>> speaker_groups(clips).tolist()
    [1, 0, 0, 1]
    """
    from scipy.sparse import coo_array  # takes half a second to import
    from scipy.sparse.csgraph import connected_components

    are_cut = any(recording_of(clip.file) != clip.file for clip in clips)
    names = [
        clip.speaker or (recording_of(clip.file) if are_cut else clip.digest) for clip in clips
    ]
    speakers, speaker = np.unique(names, return_inverse=True)
    digests, digest = np.unique([clip.digest for clip in clips], return_inverse=True)
    nodes = len(speakers) + len(digests)
    edges = coo_array(
        (np.ones(len(clips)), (speaker, len(speakers) + digest)), shape=(nodes, nodes)
    )
    return connected_components(edges, directed=False)[1][speaker]


def group_names(clips: Sequence[Clip], group: np.ndarray) -> list[str]:
    """Return the name of each group: its speakers, or its files if they are unknown.

    >>> clips = [Clip("", "", speaker, "", 1.0, "", "") for speaker in ("46", "07", "53")]
    >>> group_names(clips, np.array([1, 0, 1]))
    ['07', '46+53']
    """
    members: dict[int, set[str]] = defaultdict(set)
    for clip, g in zip(clips, group, strict=True):
        members[int(g)].add(clip.speaker or recording_of(clip.file))
    return ["+".join(sorted(members[g])) for g in sorted(members)]


def deal_at_random(group: np.ndarray, label: np.ndarray, parts: int, seed: int) -> np.ndarray:
    """Assign shuffled groups to parts in turn, label by label; each part gets as many, or one more.

    Args:
      group: int[N], result of :func:`speaker_groups`.
      label: int[N]; a group counts as its first one.
      parts: number of parts.
      seed: seed of the shuffle.

    Returns:
      The part of each clip, int64[N].

    >>> deal_at_random(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), 3, seed=0).tolist()
    [1, 2, 0, 0, 2, 1]
    """
    groups, group = np.unique(group, return_inverse=True)
    first = np.full(len(groups), label.max())
    np.minimum.at(first, group, label)
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    part = np.empty(len(groups), np.int64)
    part[shuffled[np.argsort(first[shuffled], kind="stable")]] = np.arange(len(groups)) % parts
    return part[group]


def deal(group: np.ndarray, label: np.ndarray, shares: Sequence[float], seed: int) -> np.ndarray:
    """Assign whole groups to parts, with each label near its share of every part.

    Takes the best of 50 random assignments, each improved by moving one group at a time. Every
    label and the number of clips have the same weight. A label missing in a part costs more than
    any deviation, and more in a larger part. Costs are rounded, so that all machines choose alike.

    Args:
      group: int[N], result of :func:`speaker_groups`.
      label: int[N], from 0.
      shares: share of each part; they add up to 1.
      seed: seed of the random assignments.

    Returns:
      The part of each clip, int64[N].

    >>> deal(np.repeat(np.arange(5), 2), np.tile([0, 1], 5), (0.6, 0.2, 0.2), seed=0).tolist()
    [1, 1, 0, 0, 0, 0, 0, 0, 2, 2]
    """
    _, group = np.unique(group, return_inverse=True)
    counts = np.zeros((group.max() + 1, label.max() + 2))
    np.add.at(counts, (group, label), 1)
    counts[:, -1] = counts.sum(1)
    weight = counts / np.maximum(counts.sum(0), 1)
    target = np.array(shares)[:, None]

    def cost(filled: np.ndarray) -> np.ndarray:
        return np.round(((filled - target) ** 2 + 1e6 * target**2 * (filled < 1e-9)).sum(-1), 9)

    starts = np.arange(50)
    part = np.random.default_rng(seed).choice(len(shares), (len(starts), len(weight)), p=shares)
    filled = np.stack([(part == i) @ weight for i in range(len(shares))], axis=1)
    for _ in range(5):
        for g, moved in enumerate(weight):
            filled[starts, part[:, g]] -= moved
            part[:, g] = np.argmin(cost(filled + moved) - cost(filled), axis=1)
            filled[starts, part[:, g]] += moved
    return part[np.argmin(np.round(cost(filled).sum(1), 9)), group]
