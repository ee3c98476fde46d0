"""Tables and a picture of the UAR of each setting on one test part per corpus."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from emojax.experiments.reports.figures import heat_map
from emojax.experiments.reports.score_grid import Grid
from emojax.experiments.reports.score_tables import (
    P_BELOW,
    Tests,
    few_speakers_notes,
    mark_difference,
)
from emojax.experiments.reports.table import Cell, Marked, Table

_DETAILS = {"setting": "", "corpus": "", "clips": ",d", "speakers": "d", "chance": ".1f"}
_DETAILS |= {"seeds": "d", "UAR": ".1f", "deviation": ".1f", "low": ".1f", "high": ".1f"}
_DETAILS |= {"interval over": "", "above first": "+z.1f", "from": "+z.1f", "to": "+z.1f"}
_DETAILS |= {"exact p": ".4f", "mid-p": ".4f", "mid-p by Holm": ".4f", "mark": "", "protocol": ""}


def interval_table(
    grid: Grid, tests: Tests, name: str, caption: str, notes: Sequence[str] = ()
) -> Table:
    """Return a table with a row per corpus: the UAR of each setting and its interval.

    Args:
      grid: the scores; all settings of a corpus have the same test clips.
      tests: comparisons with the first setting.
      name: name of the files.
      caption: one line.
      notes: lines below those of the table.
    """
    columns = {"corpus": "", "clips": ",d", "speakers": "d", "chance": ".1f"}
    columns |= dict.fromkeys(grid.settings, ".1f")
    rows = [
        [
            *_corpus(grid, one),
            *(interval_cell(grid, setting, one, tests) for setting in grid.settings),
        ]
        for one in grid.corpora
    ]
    return Table(name, caption, columns, rows, _means(grid), [*interval_notes(grid), *notes])


def interval_notes(grid: Grid) -> list[str]:
    """Return what a reader of :func:`interval_cell` needs to know."""
    return [
        "In brackets: 95 % bootstrap interval of the first seed, over speakers where at least five "
        "are known, else over clips. Means are over the corpora that all settings have, each with "
        "the same weight; ± is the standard deviation over seeds, where there are several.",
        f"+ and −: more and fewer clips are right than with {grid.first}, by McNemar's test over "
        "all clips of the first seed (mid-p, corrected by Holm for the number of corpora, "
        f"p < {P_BELOW}).",
        *few_speakers_notes(grid),
    ]


def _corpus(grid: Grid, name: str) -> list[Cell]:
    result = grid.settings[grid.having(name)[0]][name][0].result
    return [name, result["n"], result["speakers"], grid.chance(name)]


def interval_cell(grid: Grid, setting: str, name: str, tests: Tests) -> Cell:
    """Return the UAR of a setting on a corpus in percent, with its interval and marks."""
    uar, deviation = grid.uar(setting, name, "test"), grid.deviation(setting, name, "test")
    if uar is None:
        return None
    low, high = _interval(grid, setting, name)
    spread = "" if deviation is None else f" ± {deviation:.1f}"
    mark = mark_difference(grid, setting, name, tests) + grid.few_speakers(setting, name)
    return Marked(uar, f"{spread} [{low:.1f}, {high:.1f}]{mark}")


def _interval(grid: Grid, setting: str, name: str) -> list[float]:
    return [100 * end for end in grid.settings[setting][name][0].result["uar_ci95"]]


def _means(grid: Grid) -> list[Cell]:
    """The foot; empty where no corpus is in all settings."""
    common = grid.common()
    if not common:
        return []
    columns = [
        [100 * grid.settings[setting][name][0].result["chance"] for name in common]
        for setting in [grid.first]
    ]
    columns += [
        [fmean(grid.uars(setting, name, "test")) for name in common] for setting in grid.settings
    ]
    return [f"mean of {len(common)}", None, None, *map(fmean, columns)]


def gain_map(grid: Grid) -> Figure:
    """Draw the UAR of each setting on each corpus, coloured by what it gained on the first."""
    settings = list(grid.settings)
    values, above = (
        np.array([[of(one, name, "test") for one in settings] for name in grid.corpora], float)
        for of in (grid.uar, grid.difference)
    )
    return heat_map(values, above, grid.marked_corpora(), settings, grid.first)


def details_table(grid: Grid, tests: Tests, name: str, caption: str) -> Table:
    """Return a table with a row per corpus and setting: scores, intervals and p-values."""
    rows = [
        _detail(grid, setting, one, tests) for one in grid.corpora for setting in grid.having(one)
    ]
    notes = [
        "Low and high: 95 % bootstrap interval of the first seed's UAR. Above: points of UAR above "
        f"{grid.first}. From, to and the p values are of the first seed that both have, over all "
        "clips: the paired 95 % bootstrap interval of the difference; McNemar's test, exact and "
        "mid-p, and mid-p corrected by Holm for the number of corpora.",
        *few_speakers_notes(grid),
    ]
    return Table(name, caption, _DETAILS, rows, notes=notes)


def _detail(grid: Grid, setting: str, name: str, tests: Tests) -> list[Cell]:
    runs = grid.settings[setting][name]
    result, uar = runs[0].result, grid.uar(setting, name, "test")
    assert uar is not None
    row: list[Cell] = [setting, *_corpus(grid, name), len(runs)]
    row += [Marked(uar, grid.few_speakers(setting, name)), grid.deviation(setting, name, "test")]
    row += [*_interval(grid, setting, name), result["uar_ci95_over"]]
    test = tests.get(setting, {}).get(name)
    if test is None:
        return [*row, *[None] * 6, "", result["protocol"]]
    p_values = test.exact_p, test.mid_p, test.holm_p
    above = [grid.difference(setting, name, "test"), *(100 * end for end in test.ci95)]
    return [
        *row,
        *above,
        *p_values,
        mark_difference(grid, setting, name, tests),
        result["protocol"],
    ]
