"""Conversion of the blocks of a recording: mixing, resampling and peak tracking in one pass."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import soxr

from emojax.audio.decoding import Block
from emojax.audio.mixing import Levels, Mixer
from emojax.audio.pieces import BadAudio

SAMPLE_RATE_HZ = 16_000

_RATES_HZ = range(4_000, 384_001)


class Conversion:
    """One pass over a recording: converts its blocks to 16 kHz mono and tracks its levels."""

    def __init__(self, channel: int | None = None) -> None:
        self.channel = channel
        self.levels = Levels()
        self.peak, self.rate_hz, self.samples = 0.0, 0, 0
        self._mixer = Mixer(channel)

    @property
    def channel_instead(self) -> int | None:
        """Channel for a second pass if the channels cancel in their mean; else None."""
        return self._mixer.loudest

    def blocks(self, decoded: Iterator[Block]) -> Iterator[np.ndarray]:
        """Yield float32 ``[n]`` at 16 kHz, not yet scaled."""
        resampler = None
        for block, rate_hz in decoded:
            if not self.rate_hz:
                self.rate_hz = check_rate(rate_hz)
                if rate_hz != SAMPLE_RATE_HZ:
                    resampler = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, "float32", "HQ")
            mono = self._mixer.mix(block)
            self.levels.add(mono)
            yield self._seen(resampler.resample_chunk(mono) if resampler else mono)
        if resampler:
            yield self._seen(resampler.resample_chunk(np.zeros(0, np.float32), last=True))

    def _seen(self, mono: np.ndarray) -> np.ndarray:
        self.peak = max(self.peak, float(np.abs(mono).max(initial=0.0)))
        self.samples += len(mono)
        return mono


def convert(decoded: Callable[[], Iterator[Block]]) -> tuple[np.ndarray, Conversion]:
    """Return all samples of a recording, scaled; decode it again if its channels cancel."""
    conversion = Conversion()
    samples = _joined(conversion.blocks(decoded()))
    if conversion.channel_instead is not None:
        conversion = Conversion(conversion.channel_instead)
        samples = _joined(conversion.blocks(decoded()))
    return scaled(samples, conversion.peak), conversion


def _joined(blocks: Iterator[np.ndarray]) -> np.ndarray:
    buffer = bytearray()  # Grows in place; joining a list would need twice the memory.
    for block in blocks:
        buffer += block.tobytes()
    return np.frombuffer(buffer, np.float32)


def scaled(mono: np.ndarray, peak: float) -> np.ndarray:
    """Scale samples to a peak of at most 1; clipping would distort them."""
    return mono / np.float32(peak) if 1 < peak < np.inf else mono


def check_rate(sample_rate_hz: float) -> int:
    """Return a rate in Hz as an int; BadAudio if it is not a plausible sample rate."""
    given: Any = sample_rate_hz
    try:
        whole = isinstance(given, (float, np.floating)) and given.is_integer()
        rate_hz = int(given) if whole else operator.index(given)
    except TypeError:
        rate_hz = 0
    if rate_hz not in _RATES_HZ:
        raise BadAudio(
            f"sample rate {sample_rate_hz!r}: give an integer from {_RATES_HZ[0]} to "
            f"{_RATES_HZ[-1]} Hz, the rate the samples were recorded at"
        )
    return rate_hz
