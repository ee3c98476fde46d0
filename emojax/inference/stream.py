"""Prediction of a live recording: answers for a sliding window of the last seconds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import soxr

from emojax.audio.conversion import SAMPLE_RATE_HZ, check_rate
from emojax.audio.reading import MIN_DURATION_S, check_samples
from emojax.inference.answer import Answer

if TYPE_CHECKING:
    from emojax.inference.api import Model

WINDOW_S = 3.0
HOP_S = 1.0
_WINDOW = round(WINDOW_S * SAMPLE_RATE_HZ)
_HOP = round(HOP_S * SAMPLE_RATE_HZ)
_FEWEST = round(MIN_DURATION_S * SAMPLE_RATE_HZ)
_WINDOWS_AT_ONCE = 16
_SAMPLES_AT_ONCE = 2**20


class Moment(NamedTuple):
    """Answer for one window of a recording, from ``start_s`` to ``end_s``."""

    start_s: float
    end_s: float
    answer: Answer


class Stream:
    """Stream of samples with an answer every second; ``model.stream(rate)`` makes it.

    A window of 3 s moves by 1 s. An answer comes as soon as its window is complete. At most 4 s are
    kept in memory. The answers are equal to those for the same windows of a whole recording, except
    that a peak above full scale is not scaled down.
    """

    def __init__(self, model: Model, sample_rate_hz: float) -> None:
        rate_hz = check_rate(sample_rate_hz)
        self._model = model
        self._resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, "float32", "HQ")
        self._held = np.zeros(0, np.float32)
        # Positions in samples: start of _held, start of the next window, end of the last answer.
        self._start = self._next = self._answered = 0

    def feed(self, samples: np.ndarray) -> list[Moment]:
        """Take the next samples, and return an answer for each window that is now complete.

        Args:
          samples: ``[n]`` or ``[n, channels]``, any n; channels are mixed to their mean. Float in
            −1..1, or int16, int32 or uint8 at full scale.

        Raises:
          ValueError: a wrong shape, dtype or value; the stream does not change.
        """
        if not np.size(samples):
            return []
        mono = check_samples(samples).mean(axis=1)
        moments: list[Moment] = []
        for start in range(0, len(mono), _SAMPLES_AT_ONCE):
            block = mono[start : start + _SAMPLES_AT_ONCE]
            moments += self._taken(self._resampler.resample_chunk(block))
        return moments

    def finish(self) -> list[Moment]:
        """End the recording, and return an answer for its end if no window has covered it.

        The last window ends at the end of the recording. Less than 0.1 s of new samples is ignored.
        """
        moments = self._taken(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        end = self._start + len(self._held)
        if end - self._answered >= _FEWEST:
            last = self._held[-_WINDOW:]
            moments += self._answers([(end - len(last), last)])
        return moments

    def _taken(self, mono: np.ndarray) -> list[Moment]:
        self._held = np.concatenate([self._held, mono])
        moments: list[Moment] = []
        windows = self._windows()
        while some := list(itertools.islice(windows, _WINDOWS_AT_ONCE)):
            moments += self._answers(some)
        return moments

    def _windows(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the complete windows, and remove the samples that no later window needs."""
        while len(self._held) >= self._next - self._start + _WINDOW:
            yield self._next, self._held[self._next - self._start :][:_WINDOW]
            # The window of finish() may begin as early as this window.
            self._held, self._start = self._held[self._next - self._start :], self._next
            self._next += _HOP

    def _answers(self, windows: list[tuple[int, np.ndarray]]) -> list[Moment]:
        answers = self._model.predict_windows([window for _, window in windows])
        moments = [
            Moment(start / SAMPLE_RATE_HZ, (start + len(window)) / SAMPLE_RATE_HZ, answer)
            for (start, window), answer in zip(windows, answers, strict=True)
        ]
        self._answered = windows[-1][0] + len(windows[-1][1])
        return moments
