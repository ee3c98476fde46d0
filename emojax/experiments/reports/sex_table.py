"""Table of the UAR of each sex, for corpora that give the sex of their speakers."""

from __future__ import annotations

from collections.abc import Iterator

from emojax.evaluation.metrics import few_speakers
from emojax.experiments.reports.score_grid import Grid
from emojax.experiments.reports.table import Cell, Marked, Table

SEXES = ("female", "male")
_COLUMNS = {"setting": "", "corpus": ""}
_COLUMNS |= {
    f"{sex}{what}": form for sex in SEXES for what, form in (("", ".1f"), (" clips", ",d"))
}
_COLUMNS |= {"gap": "+z.1f"}


def sex_tables(grid: Grid, name: str, caption: str) -> list[Table]:
    """Return one table of the first seed's scores; none where no corpus says the sex of speakers.

    Args:
      grid: the scores.
      name: name of the experiment.
      caption: caption of its scores.
    """
    rows = [row for setting in grid.settings for row in _rows(grid, setting)]
    notes = [
        "In brackets: 95 % bootstrap interval, as in the other tables. Gap: female less male, in "
        "points. Corpora that do not say the sex of their speakers are left out."
    ]
    table = Table(f"{name}_by_sex", f"{caption}, by sex", _COLUMNS, rows, notes=notes)
    return [table] if rows else []


def _rows(grid: Grid, setting: str) -> Iterator[list[Cell]]:
    for corpus in grid.corpora:
        runs = grid.settings[setting].get(corpus, ())
        known = runs[0].result.get("by_sex", {}) if runs else {}
        if known:
            row: list[Cell] = [setting, corpus]
            for sex in SEXES:
                row += _cells(known[sex]) if sex in known else [None, None]
            both = [100 * known[sex]["uar"] for sex in SEXES if sex in known]
            yield [*row, both[0] - both[1] if len(both) == len(SEXES) else None]


def _cells(own: dict) -> list[Cell]:
    low, high = (100 * end for end in own["uar_ci95"])
    mark = f" [{low:.1f}, {high:.1f}]{few_speakers(own['speakers'])}"
    return [Marked(100 * own["uar"], mark), own["n"]]
