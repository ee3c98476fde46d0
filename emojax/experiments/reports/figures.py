"""Figures of the experiments: the paper's Figures 2, 3 and 4, and heat maps as in Figure 7."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import ScalarFormatter

from emojax.audio.log_mel import DYNAMIC_RANGE_DB, HOP_SAMPLES, MELS
from emojax.audio.mel_scale import mel_edges_hz
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.evaluation.metrics import FEW_SPEAKERS, FEW_SPEAKERS_NOTE

_SHOWN_S = 10.0
_BIN_S = 0.25
_COLUMNS = 4
_TICKS_HZ = np.array([250, 500, 1000, 2000, 4000])
_SMALLEST_RANGE = 5.0
# Longer names do not fit above a cell and are slanted.
_LONG = 12


def error_bars(
    values: Sequence[float], intervals: Sequence[Sequence[float]]
) -> tuple[list[float], list[float]]:
    """Return how far bars reach below and above each value; they never end on its other side.

    >>> error_bars([50.0, 60.0], [(45.0, 56.0), (61.0, 70.0)])
    ([5.0, 0.0], [6.0, 10.0])
    """
    below = [max(0.0, value - low) for value, (low, _) in zip(values, intervals, strict=True)]
    above = [max(0.0, high - value) for value, (_, high) in zip(values, intervals, strict=True)]
    return below, above


def box_figure(durations_s: Mapping[str, np.ndarray]) -> Figure:
    """Draw a box plot per corpus on a logarithmic axis, with whiskers up to 1.5 times the box."""
    figure = Figure(figsize=(7.5, 1.2 + 0.32 * len(durations_s)), layout="constrained")
    ax = figure.subplots()
    ax.boxplot(
        list(durations_s.values()),
        orientation="horizontal",
        widths=0.65,
        patch_artist=True,
        boxprops={"facecolor": "#9ecae1"},
        medianprops={"color": "black", "linewidth": 1.6},
        flierprops={"marker": ".", "markersize": 3, "alpha": 0.4},
    )
    ax.set_yticks(range(1, len(durations_s) + 1), list(durations_s), parse_math=False)
    ax.invert_yaxis()
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(ScalarFormatter())
    low_s, high_s = ax.get_xlim()
    ax.set_xticks(
        [tick for tick in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if low_s <= tick <= high_s]
    )
    ax.xaxis.minorticks_off()
    ax.grid(axis="x", alpha=0.3)
    ax.set_xlabel("duration in s (logarithmic)")
    return figure


def histogram_figure(durations_s: Mapping[str, np.ndarray]) -> Figure:
    """Draw a histogram of all clips up to 10 s; its title counts the longer ones."""
    values = np.concatenate(list(durations_s.values()))
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    ax = figure.subplots()
    shown = values[values <= _SHOWN_S]
    ax.hist(
        shown,
        bins=round(_SHOWN_S / _BIN_S),
        range=(0, _SHOWN_S),
        color="#4292c6",
        edgecolor="white",
    )
    ax.set_xlim(0, _SHOWN_S)
    ax.set_xlabel("duration in s")
    ax.set_ylabel(f"clips per {_BIN_S} s")
    ax.set_title(
        f"{len(values):,} clips of {len(durations_s)} corpora; "
        f"{len(values) - len(shown):,} longer ones are not shown",
        fontsize=10,
    )
    return figure


def mel_figure(mels: Mapping[str, np.ndarray]) -> Figure:
    """Draw a panel per label, with one scale of colour and of time for all.

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
    for ax in axes.ravel()[: len(mels)][-columns:]:  # the lowest panel of each column
        ax.tick_params(labelbottom=True)
    figure.supxlabel("time in s", fontsize=10)
    figure.supylabel("kHz", fontsize=10)
    figure.colorbar(image, ax=axes, label="ln of power", shrink=0.9)
    return figure


def _channel(frequency_hz: np.ndarray) -> np.ndarray:
    """Return the mel channel whose centre is nearest to each frequency."""
    centres_hz = mel_edges_hz(MELS, SAMPLE_RATE_HZ / 2)[1:-1]
    return np.abs(centres_hz[:, None] - frequency_hz).argmin(axis=0)


def heat_map(
    values: np.ndarray,
    differences: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    reference: str,
    framed: Sequence[tuple[int, ...]] = (),
) -> Figure:
    """Draw a cell per value; blue is better than the reference, red is worse.

    Args:
      values: float[R, C], texts of the cells; a cell of nan is empty.
      differences: float[R, C], differences from the reference.
      rows: R names.
      columns: C names.
      reference: name of the reference.
      framed: row and column of each cell to frame.
    """
    long = max(len(line) for name in columns for line in name.split("\n")) > _LONG
    size = 2.4 + 0.95 * len(columns), 1.4 + 0.36 * len(rows) + 1.4 * long
    figure = Figure(figsize=size, layout="constrained")
    ax = figure.subplots()
    extreme = max(_SMALLEST_RANGE, np.nanmax(np.abs(differences), initial=0))
    image = ax.imshow(differences, cmap="RdBu", vmin=-extreme, vmax=extreme, aspect="auto")
    for row, column in np.argwhere(~np.isnan(values)):
        dark = abs(differences[row, column]) > 0.65 * extreme
        text = f"{values[row, column]:.1f}"
        ax.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            fontsize=9,
            color="white" if dark else "black",
        )
    for row, column in framed:
        ax.add_patch(Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, fill=False, linewidth=2))
    ax.set_xticks(range(len(columns)), columns, parse_math=False)
    ax.set_yticks(range(len(rows)), rows, parse_math=False)
    ax.xaxis.tick_top()
    if long:
        for label in ax.get_xticklabels():
            label.set(rotation=35, ha="left", rotation_mode="anchor")
    ax.tick_params(length=0)
    bar = figure.colorbar(image, ax=ax, shrink=0.9)
    bar.set_label(f"points above\n{reference}", parse_math=False)
    if any(FEW_SPEAKERS in name for name in (*rows, *columns)):
        figure.supxlabel(FEW_SPEAKERS_NOTE, fontsize=9)
    return figure
