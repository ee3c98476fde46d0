"""Report of the experiment: UAR on every corpus that was held out, and over the four words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from emojax.experiments.reports.interval_tables import details_table, gain_map, interval_table
from emojax.experiments.reports.provenance import score_report
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.score_grid import Grid, read_grid
from emojax.experiments.reports.sex_table import sex_tables
from emojax.experiments.reports.table import Table
from emojax.experiments.zero_shot.questions import FOUR, OF_FOUR

_CAPTION = "UAR over the common words of each unseen corpus, in percent"
_FOUR_CAPTION = f"UAR over {', '.join(FOUR)} of each unseen corpus, in percent"
_FOUR_NOTE = (
    "Only clips with one of these labels. A corpus with another chance than 25 lacks some of them, "
    "and cannot be compared with published figures of all four."
)
_SELECTION = (
    "None: the networks have no devel part, the last state is used, and no label of an unseen "
    "corpus is read before scoring. Of a model that is given, as it was trained. Own norms are "
    "estimated on all recordings of the unseen corpus, without their labels."
)


def zero_shot_report(
    workdirs: Mapping[str, Sequence[Path]], without: Sequence[str] = (), missing: str = ""
) -> Report:
    """Show the answers about unseen corpora.

    Args:
      workdirs: setting → folders of its results, first the one to compare with.
      without: corpora that could not be asked about.
      missing: which results should be there and are not.

    Raises:
      ValueError: a folder has no results.
    """
    grid = read_grid(workdirs)
    four = [name for name in grid.corpora if name.endswith(OF_FOUR)]
    own = [name for name in grid.corpora if name not in four]
    left_out = ", ".join(without)
    notes = [f"Not asked about, with fewer than two common words: {left_out}."] * bool(without)
    pieces = _pieces(Grid(grid.settings, own), "zero_shot", _CAPTION, notes)
    if four:
        pieces += _pieces(Grid(grid.settings, four), "zero_shot_four", _FOUR_CAPTION, [_FOUR_NOTE])
    title = f"Corpora that were never learnt from: {', '.join(grid.settings)}"
    return score_report(grid, "zero_shot", title, _SELECTION, pieces, missing)


def _pieces(grid: Grid, name: str, caption: str, notes: Sequence[str]) -> list[Table | Picture]:
    tests = {setting: grid.compared(setting) for setting in grid.others}
    picture = f"{caption}, coloured by what it gained on {grid.first}"
    return [
        interval_table(grid, tests, name, caption, notes),
        Picture(name, picture, gain_map(grid)),
        *sex_tables(grid, name, caption),
        details_table(grid, tests, f"{name}_details", f"{caption}, in full"),
    ]
