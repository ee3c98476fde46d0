"""Simulation of a recording: room, level, noise and band limit."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import signal

from emojax.audio.reading import SAMPLE_RATE_HZ

_NEUTRAL_SPEECH_DB = -32.0  # RMS re full scale; leaves headroom for loud speech.


@dataclasses.dataclass(frozen=True)
class Recording:
    """Recording conditions of a corpus.

    Attributes:
      band_hz: lowest and highest frequency of the passband.
      decay_s: time in which the room's echo falls by 60 dB.
      echo: RMS level of the echo relative to the direct sound.
      noise_db: RMS level of the noise re full scale.
    """

    band_hz: tuple[float, float]
    decay_s: float
    echo: float
    noise_db: float

    def __call__(
        self, speech: np.ndarray, loudness_db: float, rng: np.random.Generator
    ) -> np.ndarray:
        """Record speech.

        Args:
          speech: float32 [n], 16 kHz.
          loudness_db: level relative to neutral speech.
          rng: source of the noise.

        Returns:
          float32 [n + decay].
        """
        room = self._impulse_response()
        sound = signal.oaconvolve(speech, room)
        sound *= _amplitude(_NEUTRAL_SPEECH_DB + loudness_db) / np.sqrt(np.mean(speech**2))
        sound += _amplitude(self.noise_db) * rng.standard_normal(len(sound))
        band = signal.butter(4, self.band_hz, "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
        return signal.sosfilt(band, sound).clip(-1, 1).astype(np.float32)

    def _impulse_response(self) -> np.ndarray:
        time_s = np.arange(int(self.decay_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        tail = np.random.default_rng(0).standard_normal(len(time_s)) * 10 ** (
            -3 * time_s / self.decay_s
        )
        return np.concatenate([[1.0], self.echo * tail / np.linalg.norm(tail)])


def _amplitude(level_db: float) -> float:
    return 10 ** (level_db / 20)
