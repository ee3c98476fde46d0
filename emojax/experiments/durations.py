"""How long clips are: the paper's Figures 2 and 3."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

_SHOWN_S = 10.0
_BIN_S = 0.25


def box_figure(durations_s: Mapping[str, np.ndarray]) -> Figure:
    """A box per corpus on a logarithmic axis: quartiles, whiskers up to 1.5 times the box, outliers."""
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
    ax.set_xticks([tick for tick in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200) if _is_within(ax, tick)])
    ax.xaxis.minorticks_off()
    ax.grid(axis="x", alpha=0.3)
    ax.set_xlabel("duration in s (logarithmic)")
    return figure


def _is_within(ax, value: float) -> bool:
    low, high = ax.get_xlim()
    return low <= value <= high


def histogram_figure(durations_s: Mapping[str, np.ndarray]) -> Figure:
    """A histogram of all clips up to 10 s, which says how many are longer."""
    values = np.concatenate(list(durations_s.values()))
    figure = Figure(figsize=(7.5, 3.6), layout="constrained")
    ax = figure.subplots()
    shown = values[values <= _SHOWN_S]
    ax.hist(shown, bins=round(_SHOWN_S / _BIN_S), range=(0, _SHOWN_S), color="#4292c6", edgecolor="white")
    ax.set_xlim(0, _SHOWN_S)
    ax.set_xlabel("duration in s")
    ax.set_ylabel(f"clips per {_BIN_S} s")
    ax.set_title(
        f"{len(values):,} clips of {len(durations_s)} corpora; {len(values) - len(shown):,} longer ones "
        "are not shown",
        fontsize=10,
    )
    return figure
