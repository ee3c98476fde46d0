"""Mixing of channels to mono, and statistics over all samples of a recording."""

from __future__ import annotations

import numpy as np

# Channels cancel if the power of their sum is below this share of the sum of their powers.
_CANCELLED = 0.01


class Mixer:
    """Mixer of the blocks of one recording to mono, which detects channels that cancel.

    Args:
      channel: number of a channel to use instead of the mean.
    """

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        self._samples = 0
        # Sums of the channels and of their products, relative to the first sample.
        self._origin = self._sums = self._products = np.zeros(1)

    def mix(self, block: np.ndarray) -> np.ndarray:
        """Mix float32 ``[n, channels]`` to ``[n]``."""
        if self._channel is not None:
            return block[:, self._channel]
        channels = block.shape[1]
        if channels == 1 or not len(block):
            return block[:, 0]
        with np.errstate(all="ignore"):  # Levels counts the values that are not finite.
            if not self._samples:
                self._origin = block[:1].copy()
            moved = block - self._origin
            self._samples += len(block)
            self._sums = self._sums + np.ones(len(block), np.float32) @ moved
            self._products = self._products + (moved.T @ moved).astype(np.float64)
            # Add columns, because np.mean is slow over such a short axis.
            mono = sum(block[:, i] for i in range(1, channels)) + block[:, 0]
            return mono / np.float32(channels)

    @property
    def loudest(self) -> int | None:
        """The loudest channel if the channels cancel in their mean; else None."""
        if not self._samples:
            return None
        with np.errstate(invalid="ignore"):
            means = self._sums / self._samples
            covariance = self._products / self._samples - np.outer(means, means)
        powers = covariance.diagonal()
        cancelled = covariance.sum() < _CANCELLED * powers.sum()
        return int(powers.argmax()) if cancelled else None


class Levels:
    """Numbers of all samples and of those that are not finite, and the extremes."""

    def __init__(self) -> None:
        self.samples = self.not_finite = 0
        self.low, self.high = np.inf, -np.inf

    def add(self, mono: np.ndarray) -> None:
        """Update the levels with samples ``[n]``."""
        if len(mono):
            self.samples += len(mono)
            self.not_finite += int(np.count_nonzero(~np.isfinite(mono)))
            self.low = min(self.low, float(mono.min()))
            self.high = max(self.high, float(mono.max()))

    @property
    def peak(self) -> float:
        """The largest absolute value."""
        return max(0.0, -self.low, self.high)
