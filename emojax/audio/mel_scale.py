"""Mel scale and filters of Slaney's Auditory Toolbox (1998), equal to librosa's.

librosa takes a second to import.
"""

from __future__ import annotations

import numpy as np

# The scale is linear up to 1 kHz, which is 15 mel, and logarithmic above.
_HZ_PER_MEL = 200 / 3
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0
_LOG_STEP = np.log(6.4) / 27


def mel_edges_hz(mels: int, highest_hz: float) -> np.ndarray:
    """Return the edges of ``mels`` triangular filters from 0 to ``highest_hz``: ``[mels + 2]``.

    Filter i rises from edge i to its centre, edge i + 1, and falls to edge i + 2.

    >>> mel_edges_hz(1, 1000.0).round(6).tolist()
    [0.0, 500.0, 1000.0]
    """
    if highest_hz > _KNEE_HZ:
        highest_mel = _KNEE_MEL + np.log(highest_hz / _KNEE_HZ) / _LOG_STEP
    else:
        highest_mel = highest_hz / _HZ_PER_MEL
    edges_mel = np.linspace(0.0, highest_mel, mels + 2)
    above = _KNEE_HZ * np.exp(_LOG_STEP * (edges_mel - _KNEE_MEL))
    return np.where(edges_mel >= _KNEE_MEL, above, _HZ_PER_MEL * edges_mel)


def mel_filters(mels: int, window_samples: int, sample_rate_hz: int) -> np.ndarray:
    """Return triangular filters of equal area for power spectra, f32 ``[window/2 + 1, mels]``.

    >>> mel_filters(64, 512, 16_000).shape
    (257, 64)
    """
    edges_hz = mel_edges_hz(mels, sample_rate_hz / 2)[:, None]
    bins_hz = np.fft.rfftfreq(window_samples, 1 / sample_rate_hz)
    width_hz = np.diff(edges_hz, axis=0)
    rising = (bins_hz - edges_hz[:-2]) / width_hz[:-1]
    falling = (edges_hz[2:] - bins_hz) / width_hz[1:]
    triangles = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return (triangles * (2 / (edges_hz[2:] - edges_hz[:-2]))).astype(np.float32).T
