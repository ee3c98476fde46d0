"""Scores of simple systems on each corpus: the paper's Table 3, from finished runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from emojax.experiments.reports.provenance import normalisation, score_report
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.score_grid import Grid, read_grid
from emojax.experiments.reports.score_tables import rank_pictures, score_map, score_table
from emojax.experiments.reports.table import Table


def baseline_report(
    workdirs: Mapping[str, Sequence[Path]], corpora: Sequence[str] = (), missing: str = ""
) -> Report:
    """Show finished runs side by side.

    The arguments are those of :func:`emojax.experiments.table4.transfer_report`.

    Raises:
      ValueError: a run has no results, or a corpus is in no run.
    """
    grid = read_grid(workdirs, corpora)
    caption = "Table 3: UAR of the baselines"
    note = (
        "Best is the state of a network with the best UAR on devel, final the one where training "
        "ended. SVMs were fitted again on train and devel."
    )
    pieces: list[Table | Picture] = [
        score_table(grid, "table_3", caption, notes=[note, normalisation(grid)]),
        Picture(
            "table_3", f"{caption} in percent, coloured by what it gained on chance", _map(grid)
        ),
        *rank_pictures(grid),
    ]
    selection = "Best UAR on devel: of a network's states, and of an SVM's C."
    return score_report(
        grid, "baselines", f"Baselines: {', '.join(grid.settings)}", selection, pieces, missing
    )


def _map(grid: Grid) -> Figure:
    def above_chance(setting: str, corpus: str, part: str) -> float | None:
        uar = grid.uar(setting, corpus, part)
        return None if uar is None else uar - grid.chance(corpus)

    return score_map(grid, list(grid.settings), above_chance, "chance")
