"""Tables and pictures of the UAR of each setting on each corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from emojax.evaluation.comparison import Comparison
from emojax.evaluation.metrics import FEW_SPEAKERS, FEW_SPEAKERS_NOTE
from emojax.evaluation.statistics import critical_difference_figure, friedman_nemenyi
from emojax.experiments.reports.figures import heat_map
from emojax.experiments.reports.report import Picture
from emojax.experiments.reports.score_grid import PARTS, Grid
from emojax.experiments.reports.table import Cell, Marked, Table

# Setting → corpus → its comparison with the first setting.
Tests = Mapping[str, Mapping[str, Comparison]]
P_BELOW = 0.05


def mark_difference(grid: Grid, setting: str, name: str, tests: Tests) -> str:
    """Return + or − where the share of right clips differs significantly from the first's."""
    test = tests.get(setting, {}).get(name)
    pair = grid.paired(setting, name)
    if test is None or pair is None or test.holm_p >= P_BELOW:
        return ""
    own, first = (one.result["war"] for one in pair)
    return "+" if own > first else "−"


def few_speakers_notes(grid: Grid) -> list[str]:
    """The footnote to scores of too few speakers, if there are any."""
    marked = any(name.endswith(FEW_SPEAKERS) for name in grid.marked_corpora())
    return [FEW_SPEAKERS_NOTE] if marked else []


def score_table(
    grid: Grid,
    name: str,
    caption: str,
    mark: Callable[[str, str], str] = lambda setting, corpus: "",
    notes: Sequence[str] = (),
) -> Table:
    """Return a table with a row per corpus, and devel and test UAR of each setting.

    Args:
      grid: the scores.
      name: name of the files.
      caption: one line.
      mark: setting and corpus → mark behind the test UAR.
      notes: lines below the table.
    """

    def row(corpus: str) -> list[Cell]:
        cells: list[Cell] = [corpus, grid.chance(corpus)]
        for setting in grid.settings:
            cells += [
                _cell(grid, setting, corpus, "devel", ""),
                _cell(grid, setting, corpus, "test", mark(setting, corpus)),
            ]
        return cells

    columns = {f"{setting} {part}": ".1f" for setting in grid.settings for part in PARTS}
    about = "UAR in percent; means are over the corpora that all settings have"
    several = any(len(runs) > 1 for scored in grid.settings.values() for runs in scored.values())
    about += "; ± is the standard deviation over seeds." if several else "."
    return Table(
        name,
        caption,
        {"corpus": "", "chance": ".1f", **columns},
        [row(corpus) for corpus in grid.corpora],
        _means(grid),
        [about, *notes, *few_speakers_notes(grid)],
    )


def rank_pictures(grid: Grid) -> Iterable[Picture]:
    """Yield a picture of mean ranks, for at least three settings and five corpora."""
    names, settings = grid.common(), list(grid.settings)
    if len(settings) < 3 or len(names) < 5:
        return
    scores = [[grid.uar(setting, name, "test") for setting in settings] for name in names]
    ranking = friedman_nemenyi(np.array(scores, float), settings)
    caption = (
        f"Mean ranks of test UAR over {len(names)} corpora (1 is best); Friedman's test p = "
        f"{ranking.friedman_p:.4f}; "
        "a bar joins settings that Nemenyi's test does not tell apart at 0.05"
    )
    yield Picture("ranks", caption, critical_difference_figure(ranking))


def _cell(grid: Grid, setting: str, corpus: str, part: str, mark: str) -> Marked | None:
    uar, deviation = grid.uar(setting, corpus, part), grid.deviation(setting, corpus, part)
    if uar is None:
        return None
    spread = "" if deviation is None else f" ± {deviation:.1f}"
    few = grid.few_speakers(setting, corpus) if part == "test" else ""
    return Marked(uar, spread + mark + few)


def _means(grid: Grid) -> list[Cell]:
    """Return the last row: means over the corpora that all settings have; empty without any."""
    common = grid.common()
    if not common:
        return []
    means = [
        _mean([grid.uar(setting, name, part) for name in common])
        for setting in grid.settings
        for part in PARTS
    ]
    return [f"mean of {len(common)}", _mean([grid.chance(name) for name in common]), *means]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def score_map(
    grid: Grid,
    settings: Sequence[str],
    difference: Callable[[str, str, str], float | None],
    reference: str,
) -> Figure:
    """Draw a heat map of the UAR of these settings.

    Args:
      grid: the scores.
      settings: settings to show.
      difference: setting, corpus and part → percentage points above the reference.
      reference: name of the reference.
    """
    columns = [(setting, part) for setting in settings for part in PARTS]

    def array(value: Callable[[str, str, str], float | None]) -> np.ndarray:
        found = [[value(setting, name, part) for setting, part in columns] for name in grid.corpora]
        return np.array(found, float)  # None becomes nan

    names = [f"{setting}\n{part}" for setting, part in columns]
    return heat_map(array(grid.uar), array(difference), grid.marked_corpora(), names, reference)
