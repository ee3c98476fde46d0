"""Channels to one, and what can be said of all samples of a recording after one pass."""

from __future__ import annotations

import numpy as np

# Of the power that unrelated channels would leave in their mean; with less, what is left is no mixture.
_CANCELLED = 0.01


class Mixer:
    """Mixes the blocks of one recording down to their mean, and notices whether its channels cancel.

    Args:
      channel: use this one instead of the mean.
    """

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        self._samples = 0
        # Of each channel, and last of their mean.
        self._sums = self._squares = np.zeros(1)

    def mix(self, block: np.ndarray) -> np.ndarray:
        """Float32 ``[n, channels]`` to ``[n]``."""
        if self._channel is not None:
            return block[:, self._channel]
        if block.shape[1] == 1:
            return block[:, 0]
        with np.errstate(invalid="ignore", over="ignore"):  # Levels counts what is not finite.
            mono = block.mean(axis=1)
            each = np.column_stack([block, mono]).astype(np.float64)
            self._samples += len(block)
            self._sums = self._sums + each.sum(axis=0)
            self._squares = self._squares + np.square(each).sum(axis=0)
        return mono

    @property
    def loudest(self) -> int | None:
        """The channel to use instead, where the mean of all blocks is only what cancelling left over."""
        if not self._samples:
            return None
        powers = self._squares / self._samples - np.square(self._sums / self._samples)
        channels, mean = powers[:-1], powers[-1]
        cancelled = mean < _CANCELLED * channels.sum() / len(channels) ** 2
        return int(channels.argmax()) if cancelled else None


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
            self.low, self.high = min(self.low, float(mono.min())), max(self.high, float(mono.max()))

    @property
    def peak(self) -> float:
        """The largest absolute value."""
        return max(0.0, -self.low, self.high)
