"""How a clip's samples lie in a prepared corpus."""

from __future__ import annotations

import numpy as np
import tensorflow_datasets as tfds

from emojax.audio.reading import SAMPLE_RATE_HZ


class PcmAudio(tfds.features.Tensor):
    """int16 samples ``[n]``, mono, stored as their bytes; the sample rate goes into ``features.json``.

    ``tfds.features.Audio`` says the same, but cannot be made without TensorFlow.

    >>> PcmAudio.from_json_content(PcmAudio().to_json_content()).sample_rate
    16000
    """

    def __init__(self, *, sample_rate: int = SAMPLE_RATE_HZ):
        super().__init__(shape=(None,), dtype=np.int16, encoding="bytes")
        self.sample_rate = sample_rate

    def to_json_content(self) -> dict:
        """What ``features.json`` keeps: the sample rate in Hz; the rest is the same for every corpus."""
        return {"sample_rate": self.sample_rate}

    @classmethod
    def from_json_content(cls, value: dict) -> PcmAudio:
        """The feature that :meth:`to_json_content` described."""
        return cls(**value)
