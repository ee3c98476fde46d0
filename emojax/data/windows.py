"""Choice of each corpus's training window: one of three lengths, with little padding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

PARTS = 3
MOST_PADDING = 0.25


def choose_windows(lengths: Mapping[str, ArrayLike], longest: int) -> dict[str, int]:
    """Choose for each corpus the longest window that its clips fill to three quarters.

    A program is compiled for each length, so there are only three: thirds of ``longest``. If the
    clips of a corpus fill none of them, it gets the shortest.

    Args:
      lengths: corpus → int ``[N]``, samples of each of its clips.
      longest: the longest window, in samples.

    Returns:
      corpus → window, samples.

    >>> choose_windows({"words": [9_000, 11_000], "sentences": [30_000, 90_000]}, 80_000)
    {'words': 26666, 'sentences': 53333}
    """
    choices = [longest * part // PARTS for part in range(PARTS, 0, -1)]
    return {
        name: next(
            (window for window in choices if padding_share(own, window) <= MOST_PADDING),
            choices[-1],
        )
        for name, own in lengths.items()
    }


def work_padding_share(lengths: Mapping[str, ArrayLike], windows: Mapping[str, int]) -> float:
    """Return the share of padding in a round with equally many clips of every corpus.

    Args:
      lengths: corpus → int ``[N]``, samples of each of its clips.
      windows: corpus → samples; longer clips are cut to them.

    >>> work_padding_share({"a": [10_000], "b": [60_000]}, {"a": 20_000, "b": 60_000})
    0.125
    """
    padding = sum(window * padding_share(lengths[name], window) for name, window in windows.items())
    return padding / sum(windows.values())


def padding_share(lengths: ArrayLike, window: int) -> float:
    """Return the mean share of padding in a window over all clips.

    >>> padding_share([10_000, 30_000], 20_000)
    0.25
    """
    return 1 - float(np.minimum(lengths, window).mean()) / window
