"""Choice of a step's clips by the seed and the step number, so that a run can resume anywhere."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np


@dataclasses.dataclass(frozen=True)
class ClipIndices:
    """Clips of one step of one corpus.

    Attributes:
      corpus: index of the corpus in the run.
      clips: int64 ``[B]``, indices into the training part.
      starts: int64 ``[B]``, first sample of the window in each clip.
    """

    corpus: int
    clips: np.ndarray
    starts: np.ndarray


def drawn_clips(clips: int, batch_size: int, turn: int, seed: tuple[int, ...]) -> np.ndarray:
    """Return the indices of a corpus's ``turn``-th batch, in successive shuffled epochs.

    Returns:
      int64 ``[batch_size]``; the ``clips`` successive indices of an epoch contain every clip once.

    >>> sorted(int(i) for turn in (0, 1) for i in drawn_clips(4, 2, turn, (0,)))
    [0, 1, 2, 3]
    """
    positions = turn * batch_size + np.arange(batch_size)
    indices = np.empty(batch_size, np.int64)
    for epoch in range(positions[0] // clips, positions[-1] // clips + 1):
        inside = positions // clips == epoch
        indices[inside] = _order(clips, (*seed, epoch))[positions[inside] % clips]
    return indices


def balanced_clips(
    strata: np.ndarray, batch_size: int, turn: int, seed: tuple[int, ...]
) -> np.ndarray:
    """Return a batch with each label, and each source of a label, equally often.

    Args:
      strata: int ``[N, 2]``, label and source of each clip.
      batch_size: B.
      turn: number of earlier batches.
      seed: seed of the order.

    >>> strata = np.array([[0, 0], [0, 0], [0, 1], [1, 0]])
    >>> sorted(balanced_clips(strata, 4, 0, (0,)).tolist())[-3:]
    [2, 3, 3]
    """
    groups = _groups(strata.tobytes(), len(strata))
    indices = np.empty(batch_size, np.int64)
    for row, position in enumerate(range(turn * batch_size, (turn + 1) * batch_size)):
        cycle, place = divmod(position, len(groups))
        label = int(_order(len(groups), (*seed, cycle))[place])
        again, source = divmod(cycle, len(groups[label]))
        clips = groups[label][source]
        epoch, place = divmod(again, len(clips))
        indices[row] = clips[_order(len(clips), (*seed, label, source, epoch))[place]]
    return indices


@functools.lru_cache(maxsize=64)  # more than the corpora of a run, which take turns
def _groups(strata: bytes, clips: int) -> list[list[np.ndarray]]:
    """Return the clips of each label and source."""
    rows = np.frombuffer(strata, np.int64).reshape(clips, 2)
    groups = []
    for label in np.unique(rows[:, 0]):
        sources = np.unique(rows[rows[:, 0] == label, 1])
        groups.append([np.flatnonzero((rows == (label, source)).all(1)) for source in sources])
    return groups


@functools.lru_cache(maxsize=1024)
def _order(clips: int, seed: tuple[int, ...]) -> np.ndarray:
    """Shuffle the clips for an epoch; cached for all its batches."""
    return np.random.default_rng(seed).permutation(clips)


def sample_clips(
    lengths: np.ndarray,
    window: int,
    batch_size: int,
    seed: int,
    corpus: int,
    turn: int,
    strata: np.ndarray | None = None,
) -> ClipIndices:
    """Choose the clips of a corpus's ``turn``-th step, with random crops (section 5.1).

    Args:
      lengths: int ``[N]``, samples of each clip of the training part.
      window: samples; longer clips are cut.
      batch_size: B.
      seed: seed of the run.
      corpus: index of the corpus in the run.
      turn: number of earlier steps on the corpus.
      strata: label and source of each clip, for balanced batches.
    """
    if strata is None:
        clips = drawn_clips(len(lengths), batch_size, turn, (seed, corpus, 0))
    else:
        clips = balanced_clips(strata, batch_size, turn, (seed, corpus, 0))
    random = np.random.default_rng((seed, corpus, 1, turn))
    return ClipIndices(corpus, clips, random.integers(np.maximum(lengths[clips] - window, 0) + 1))
