"""Predicted against true numbers of all domains in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE, few_speakers
from emojax.evaluation.number_scores import NumbersResult
from emojax.files import replacing
from emojax.fonts import save_figure

_SIDE_IN = 3.4


def scatter_figure(results: Sequence[NumbersResult], path: str | Path) -> None:
    """Draw a PNG with a row per domain and a column per number: a point per clip.

    The line is where prediction and truth are equal.

    Args:
      results: results of one domain or more.
      path: path of the PNG, in an existing folder.
    """
    columns = max(len(result.columns) for result in results)
    figure = Figure(
        figsize=(columns * _SIDE_IN, len(results) * _SIDE_IN + 0.5), dpi=120, layout="constrained"
    )
    axes = figure.subplots(len(results), columns, squeeze=False)
    for row, result in zip(axes, results, strict=True):
        for place, ax in enumerate(row):
            if place < len(result.columns):
                _draw(ax, result, place)
            else:
                ax.remove()
    figure.suptitle("Predicted against true numbers, a point per clip", fontsize=11)
    if any(few_speakers(result.speakers) for result in results):
        figure.supxlabel(FEW_SPEAKERS_NOTE, fontsize=10)
    with replacing(Path(path)) as draft:
        save_figure(figure, draft)


def _draw(ax: Axes, result: NumbersResult, place: int) -> None:
    score, truth, predicted = (
        result.columns[place],
        result.truth[:, place],
        result.predicted[:, place],
    )
    ends = min(truth.min(), predicted.min()), max(truth.max(), predicted.max())
    ax.plot(ends, ends, color="0.6", linewidth=1)
    ax.scatter(truth, predicted, s=9, alpha=0.4, linewidths=0)
    low, high = score.ccc_ci95
    said = f"CCC {score.ccc:.2f} [{low:.2f}, {high:.2f}], r {score.pearson:.2f}"
    # Names are untrusted text: a $ in one must not start a formula.
    ax.set_title(f"{result.title}\n{score.column}: {said}", fontsize=8, parse_math=False)
    ax.set_xlabel("true")
    ax.set_ylabel("predicted")
