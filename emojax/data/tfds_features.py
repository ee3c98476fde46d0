"""Feature that stores a clip's samples in a prepared corpus."""

from __future__ import annotations

import numpy as np
import tensorflow_datasets as tfds

from emojax.audio.reading import SAMPLE_RATE_HZ


class PcmAudio(tfds.features.Tensor):
    """Feature of mono int16 samples ``[n]``, stored as bytes; ``features.json`` has their rate.

    ``tfds.features.Audio`` is similar, but needs TensorFlow.

    >>> PcmAudio.from_json_content(PcmAudio().to_json_content()).sample_rate
    16000
    """

    def __init__(self, *, sample_rate: int = SAMPLE_RATE_HZ):
        super().__init__(shape=(None,), dtype=np.int16, encoding="bytes")
        self.sample_rate = sample_rate

    def to_json_content(self) -> dict:
        """Return the entry of ``features.json``: the sample rate in Hz."""
        return {"sample_rate": self.sample_rate}

    @classmethod
    def from_json_content(cls, value: dict) -> PcmAudio:
        """Make the feature from the result of :meth:`to_json_content`."""
        return cls(**value)
