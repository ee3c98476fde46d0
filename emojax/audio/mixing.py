"""Channels to one, and what can be said of all samples of a recording after one pass."""

from __future__ import annotations

import numpy as np

# Of the power that unrelated channels would leave in their mean; with less, what is left is no
# mixture.
_CANCELLED = 0.01


class Mixer:
    """Mixes the blocks of one recording down to their mean, and notices whether its channels cancel.

    Args:
      channel: use this one instead of the mean.
    """

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        self._samples = 0
        # Sums of the channels, and of their products with each other, about where they began.
        self._origin = self._sums = self._products = np.zeros(1)

    def mix(self, block: np.ndarray) -> np.ndarray:
        """Float32 ``[n, channels]`` to ``[n]``."""
        if self._channel is not None:
            return block[:, self._channel]
        channels = block.shape[1]
        if channels == 1 or not len(block):
            return block[:, 0]
        with np.errstate(all="ignore"):  # Levels counts what is not finite.
            if not self._samples:
                self._origin = block[:1].copy()
            moved = block - self._origin
            self._samples += len(block)
            self._sums = self._sums + np.ones(len(block), np.float32) @ moved
            self._products = self._products + (moved.T @ moved).astype(np.float64)
            # Column by column: np.mean is slow over an axis so short.
            mono = sum(block[:, i] for i in range(1, channels)) + block[:, 0]
            return mono / np.float32(channels)

    @property
    def loudest(self) -> int | None:
        """The channel to use instead, where the mean of all blocks is only what cancelling left over."""
        if not self._samples:
            return None
        with np.errstate(invalid="ignore"):
            means = self._sums / self._samples
            covariance = self._products / self._samples - np.outer(means, means)
        powers = covariance.diagonal()
        cancelled = covariance.sum() < _CANCELLED * powers.sum()
        return int(powers.argmax()) if cancelled else None


class Levels:
    """How many samples there were, how many of them not finite, and the extremes."""

    def __init__(self) -> None:
        self.samples = self.not_finite = 0
        self.low, self.high = np.inf, -np.inf

    def add(self, mono: np.ndarray) -> None:
        """Take samples ``[n]`` into account."""
        if len(mono):
            self.samples += len(mono)
            self.not_finite += int(np.count_nonzero(~np.isfinite(mono)))
            self.low, self.high = (
                min(self.low, float(mono.min())),
                max(self.high, float(mono.max())),
            )

    @property
    def peak(self) -> float:
        """The largest absolute value."""
        return max(0.0, -self.low, self.high)
