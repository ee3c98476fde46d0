"""Clips of noise to be answered, for the workers of ``inference``; needs NumPy only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import worker

SAMPLE_RATE_HZ = 16_000
CLIP_S = 3.0
BATCH_SIZE = 64  # as emojax.inference.predict has it


def noise(clips: int) -> np.ndarray:
    """Return clips of 3 s, float32 ``[clips, samples]``."""
    samples = int(CLIP_S * SAMPLE_RATE_HZ)
    return np.random.default_rng(0).normal(0, 0.1, (clips, samples)).astype(np.float32)


def serve_batches(
    clips: int, answer: Callable[[np.ndarray], object], facts: Callable[[], dict]
) -> None:
    """Serve turns that answer all clips in batches ``[B, samples]``."""
    audio = noise(clips)

    def turn() -> int:
        for start in range(0, clips, BATCH_SIZE):
            answer(audio[start : start + BATCH_SIZE])
        return 1

    worker.serve(turn, facts)
