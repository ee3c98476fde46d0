"""Confusion matrices of all corpora in one figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE, CorpusResult, few_speakers
from emojax.files import replacing
from emojax.fonts import save_figure

_CELL_IN = 0.46
_MARGIN_IN = 1.4


def confusion_figure(results: Sequence[CorpusResult], path: str | Path) -> None:
    """Draw a PNG with a confusion matrix per corpus: percent of the true label, and clips below it.

    The cells go from light to dark in one colour, which colour-blind readers see too. The figure
    grows with the number of corpora and labels.

    Args:
      results: results of one corpus or more.
      path: path of the PNG, in an existing folder.
    """
    columns = math.ceil(math.sqrt(len(results)))
    rows = math.ceil(len(results) / columns)
    side_in = _MARGIN_IN + _CELL_IN * max(5, *(len(result.labels) for result in results))
    figure = Figure(
        figsize=(columns * side_in, rows * side_in + 0.5), dpi=120, layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, result in zip(axes, results, strict=False):
        _draw(ax, result, (side_in - _MARGIN_IN) / len(result.labels))
    for ax in axes[len(results) :]:
        ax.remove()
    said = "Row: truth, column: prediction; percent of the row, and clips"
    figure.suptitle(said, fontsize=10 + columns)
    if any(few_speakers(result.speakers) for result in results):
        figure.supxlabel(FEW_SPEAKERS_NOTE, fontsize=10)
    with replacing(Path(path)) as draft:
        save_figure(figure, draft)


def _draw(ax: Axes, result: CorpusResult, cell_in: float) -> None:
    """Draw one confusion matrix with cells of about ``cell_in`` inches."""
    percent = 100 * result.confusion / np.maximum(result.confusion.sum(1, keepdims=True), 1)
    ax.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    size = min(11, 17 * cell_in)
    for row, column in np.argwhere(result.confusion):
        value = percent[row, column]
        text = f"{value:.0f}%\n{result.confusion[row, column]}"
        colour = "white" if value > 55 else "black"
        ax.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)
    ticks = np.arange(len(result.labels))
    # Labels are untrusted text: a $ in one must not start a formula.
    ax.set_xticks(
        ticks, result.labels, rotation=45, ha="right", rotation_mode="anchor", parse_math=False
    )
    ax.set_yticks(ticks, result.labels, parse_math=False)
    low, high = (100 * end for end in result.uar_ci95)
    ax.set_title(
        f"{result.title}\nUAR {100 * result.uar:.1f} % [{low:.1f}, {high:.1f}], "
        f"chance {100 * result.chance:.1f} %",
        fontsize=10,
    )
