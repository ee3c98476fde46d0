"""What the network sees: log-mel spectrograms of single clips, the paper's Figure 4."""

from __future__ import annotations

import math
from collections.abc import Mapping

import librosa
import numpy as np
from matplotlib.figure import Figure

from emojax.audio.log_mel import DYNAMIC_RANGE_DB, HOP_SAMPLES, MELS
from emojax.audio.reading import SAMPLE_RATE_HZ

_COLUMNS = 4
_TICKS_HZ = np.array([250, 500, 1000, 2000, 4000])


def mel_figure(mels: Mapping[str, np.ndarray]) -> Figure:
    """A panel per label, time from left to right; one scale of colour and of time for all.

    Args:
      mels: label → float32 ``[frames, 64]`` of :func:`emojax.log_mel`.
    """
    columns = min(_COLUMNS, len(mels))
    rows = math.ceil(len(mels) / columns)
    figure = Figure(figsize=(1.2 + 2.3 * columns, 0.8 + 1.9 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    peak = max(mel.max() for mel in mels.values())
    floor = peak - DYNAMIC_RANGE_DB * math.log(10) / 10
    for ax, (label, mel) in zip(axes.ravel(), mels.items(), strict=False):
        end_s = len(mel) * HOP_SAMPLES / SAMPLE_RATE_HZ
        extent = (0, end_s, -0.5, MELS - 0.5)
        image = ax.imshow(
            mel.T, origin="lower", aspect="auto", extent=extent, vmin=floor, vmax=peak, cmap="magma"
        )
        ax.set_title(label, fontsize=10, parse_math=False)
    axes[0, 0].set_xlim(0, max(map(len, mels.values())) * HOP_SAMPLES / SAMPLE_RATE_HZ)
    axes[0, 0].set_yticks(_channel(_TICKS_HZ), [f"{tick / 1000:g}" for tick in _TICKS_HZ])
    for ax in axes.ravel()[len(mels) :]:
        ax.axis("off")
    for ax in axes.ravel()[: len(mels)][-columns:]:  # nothing is below these
        ax.tick_params(labelbottom=True)
    figure.supxlabel("time in s", fontsize=10)
    figure.supylabel("kHz", fontsize=10)
    figure.colorbar(image, ax=axes, label="ln of power", shrink=0.9)
    return figure


def _channel(frequency_hz: np.ndarray) -> np.ndarray:
    """The mel channel whose centre is nearest each frequency."""
    centres_hz = librosa.mel_frequencies(MELS + 2, fmax=SAMPLE_RATE_HZ / 2)[1:-1]
    return np.abs(centres_hz[:, None] - frequency_hz).argmin(axis=0)
