"""What simple systems score on each corpus: the paper's Table 3, from finished runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from emojax.experiments.reports import score_tables
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.score_grid import Grid, read_grid


def baselines(
    workdirs: Mapping[str, Sequence[Path]], corpora: Sequence[str] = (), missing: str = ""
) -> Report:
    """Put finished runs side by side.

    Args:
      workdirs: baseline → its work directories.
      corpora: those to show; all, if empty.
      missing: which runs should be there and are not.

    Raises:
      ValueError: a run without results, or a corpus that no run has.
    """
    grid = read_grid(workdirs, corpora)
    note = (
        "Best is the state of a network with the best UAR on devel, final the one where training ended. SVMs "
        "were fitted again on train and devel."
    )
    caption = "Table 3: UAR of the baselines"
    return Report(
        name="baselines",
        title=f"Baselines: {', '.join(grid.settings)}",
        protocol=score_tables.protocols(grid),
        seeds=score_tables.seeds(grid),
        normalisation=score_tables.normalisation(grid),
        selection="Best UAR on devel: of a network's states, and of an SVM's C.",
        pieces=[
            score_tables.score_table(
                grid, "table_3", caption, notes=[note, score_tables.normalisation(grid)]
            ),
            Picture("table_3", f"{caption} in percent, coloured by what it gained on chance", _map(grid)),
            *score_tables.rank_pictures(grid),
            score_tables.runs_table(grid),
        ],
        missing=missing,
        run_versions=score_tables.versions(grid),
    )


def _map(grid: Grid):
    def above_chance(setting: str, corpus: str, part: str) -> float | None:
        uar = grid.uar(setting, corpus, part)
        return None if uar is None else uar - grid.chance(corpus)

    return score_tables.score_map(grid, list(grid.settings), above_chance, "chance")
