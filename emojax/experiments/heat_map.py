"""Numbers in a grid, coloured by how far they lie from a reference: the paper's Figure 7."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

_SMALLEST_RANGE = 5.0
# Names of more characters than fit above a cell are slanted.
_LONG = 12


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
      values: float[R, C], written into the cells; nan leaves one empty.
      differences: float[R, C], from the reference.
      rows: R names.
      columns: C names.
      reference: what the differences are from.
      framed: row and column of cells that stand apart.
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
        ax.text(column, row, text, ha="center", va="center", fontsize=9, color="white" if dark else "black")
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
    return figure
