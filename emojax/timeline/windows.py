"""Windows that slide over stretches of speech, and the answers for them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.inference.answer import Answer
from emojax.inference.stream import HOP_S, WINDOW_S
from emojax.timeline.speech import Span

if TYPE_CHECKING:
    from emojax.inference.api import Model

_WINDOW = round(WINDOW_S * SAMPLE_RATE_HZ)
_HOP = round(HOP_S * SAMPLE_RATE_HZ)
_WINDOWS_AT_ONCE = 16


def window_spans(stretch: Span) -> list[Span]:
    """Return windows of 3 s, one every second; the last one ends where the stretch ends.

    >>> window_spans((8_000, 83_200)), window_spans((0, 16_000))
    ([(8000, 56000), (24000, 72000), (35200, 83200)], [(0, 16000)])
    """
    first, last = stretch
    starts = [*range(first, last - _WINDOW, _HOP), max(first, last - _WINDOW)]
    return [(start, min(start + _WINDOW, last)) for start in starts]


def hop_spans(stretch: Span) -> list[Span]:
    """Cut a stretch into seconds; the last one is between half a second and one and a half long.

    >>> hop_spans((8_000, 46_400))
    [(8000, 24000), (24000, 46400)]
    """
    first, last = stretch
    count = max(1, round((last - first) / _HOP))
    return list(itertools.pairwise([*(first + hop * _HOP for hop in range(count)), last]))


def answer_windows(
    model: Model, blocks: Iterable[np.ndarray], spans: Sequence[Span]
) -> Iterator[Answer]:
    """Yield the answer for each span, in batches of 16; the last one may be smaller.

    Args:
      model: the trained network.
      blocks: the recording, float32 ``[n]`` at 16 kHz.
      spans: in ascending order.
    """
    windows = cut(blocks, spans)
    while some := list(itertools.islice(windows, _WINDOWS_AT_ONCE)):
        yield from model.predict_windows(some)


def cut(blocks: Iterable[np.ndarray], spans: Iterable[Span]) -> Iterator[np.ndarray]:
    """Yield the samples of each span; what no later span needs is not kept.

    Args:
      blocks: arrays ``[n]``, of any length.
      spans: in ascending order; they may overlap.

    >>> [span.tolist() for span in cut([np.arange(4), np.arange(4, 8)], [(1, 3), (2, 6)])]
    [[1.0, 2.0], [2.0, 3.0, 4.0, 5.0]]
    """
    blocks, held, begin = iter(blocks), np.zeros(0, np.float32), 0
    for first, last in spans:
        while begin + len(held) < last and (block := next(blocks, None)) is not None:
            passed = min(first - begin, len(held))
            held, begin = np.concatenate([held[passed:], block]), begin + passed
        yield held[first - begin : last - begin]
