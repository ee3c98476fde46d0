"""Which clips a step sees: a function of the seed and the step number, so a run can go on anywhere."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np


@dataclasses.dataclass(frozen=True)
class ClipIndices:
    """The clips of one step of one corpus.

    Attributes:
      corpus: its number in the run.
      clips: int64 ``[B]``, indices into its training part.
      starts: int64 ``[B]``, samples; a longer clip is cut to the window that begins there.
    """

    corpus: int
    clips: np.ndarray
    starts: np.ndarray


def drawn_clips(clips: int, batch_size: int, turn: int, seed: tuple[int, ...]) -> np.ndarray:
    """Indices of a corpus's ``turn``-th batch: one shuffled pass over the corpus after the other.

    Returns:
      int64 ``[batch_size]``; any ``clips`` successive indices from an epoch's start are all the
      clips.

    >>> sorted(int(i) for turn in (0, 1) for i in drawn_clips(4, 2, turn, (0,)))
    [0, 1, 2, 3]
    """
    positions = turn * batch_size + np.arange(batch_size)
    indices = np.empty(batch_size, np.int64)
    for epoch in range(positions[0] // clips, positions[-1] // clips + 1):
        inside = positions // clips == epoch
        indices[inside] = _order(clips, (*seed, epoch))[positions[inside] % clips]
    return indices


@functools.lru_cache(maxsize=256)
def _order(clips: int, seed: tuple[int, ...]) -> np.ndarray:
    """The order of an epoch; kept, as each of its batches asks for it."""
    return np.random.default_rng(seed).permutation(clips)


def sample_clips(
    lengths: np.ndarray, window: int, batch_size: int, seed: int, corpus: int, turn: int
) -> ClipIndices:
    """The clips of a corpus's ``turn``-th step, each longer one at a random chunk (section 5.1).

    Args:
      lengths: int ``[N]``, samples of each clip of its training part.
      window: samples; longer clips are cut.
      batch_size: B.
      seed: of the run.
      corpus: its number in the run.
      turn: how many steps it had before.
    """
    clips = drawn_clips(len(lengths), batch_size, turn, (seed, corpus, 0))
    random = np.random.default_rng((seed, corpus, 1, turn))
    return ClipIndices(corpus, clips, random.integers(np.maximum(lengths[clips] - window, 0) + 1))
