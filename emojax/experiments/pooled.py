"""Pooled folds: every clip of every corpus is tested once, and settings are compared on all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from emojax.data.prepared import PreparedCorpus
from emojax.experiments.reports.figures import heat_map
from emojax.experiments.reports.pooling import Pooled, pool
from emojax.experiments.reports.provenance import score_report
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.score_grid import Grid
from emojax.experiments.reports.score_tables import (
    P_BELOW,
    Tests,
    few_speakers_notes,
    mark_difference,
    rank_pictures,
)
from emojax.experiments.reports.table import Cell, Marked, Table

_DETAILS = {"setting": "", "corpus": "", "clips": ",d", "speakers": "d", "chance": ".1f"}
_DETAILS |= {"seeds": "d", "UAR": ".1f", "deviation": ".1f", "low": ".1f", "high": ".1f"}
_DETAILS |= {"interval over": "", "above first": "+.1f", "from": "+.1f", "to": "+.1f"}
_DETAILS |= {"exact p": ".4f", "mid-p": ".4f", "mid-p by Holm": ".4f", "mark": "", "protocol": ""}


def pooled_report(
    workdirs: Mapping[str, Sequence[Path]],
    corpora: Mapping[str, PreparedCorpus],
    missing: str = "",
    fused: Mapping[str, Sequence[str]] | None = None,
) -> Report:
    """Score finished folds as one test part for each corpus, and compare the settings on it.

    Args:
      workdirs: setting → work directories of its folds, first the one to compare with.
      corpora: those to show; they say which clips there are.
      missing: which runs should be there and are not.
      fused: further setting → those whose predictions it puts together.

    Raises:
      ValueError: as :func:`emojax.experiments.reports.pooling.pool`.
    """
    pooled = pool(workdirs, corpora, fused)
    grid = pooled.grid
    tests = {setting: grid.compared(setting) for setting in grid.others}
    caption = "UAR over the pooled test clips of all folds, in percent"
    picture = f"{caption}, coloured by what it gained on {grid.first}"
    pieces: list[Table | Picture] = [
        _scores(grid, tests, caption, [*_fusion_note(grid, fused or {})]),
        Picture("pooled", picture, _map(grid)),
        *rank_pictures(grid),
        _details(grid, tests),
    ]
    title = f"Pooled folds: {', '.join(grid.settings)}"
    selection = (
        "In each fold, the best UAR on its devel part: of a network's states by the mean over its "
        "corpora, of an SVM's C. Settings were not chosen on these figures: every clip is tested "
        "here, so a setting that is chosen by them has no test left."
    )
    gaps = "; ".join(filter(None, (missing, *pooled.gaps)))
    report = score_report(grid, "pooled", title, selection, pieces, gaps, pooled.runs)
    return dataclasses.replace(report, seeds=_seeds(pooled))


def _seeds(pooled: Pooled) -> str:
    found = sorted({one.seed for one in pooled.runs.runs()})
    return f"{', '.join(map(str, found))}; one run of each fold in each setting with each seed."


def _fusion_note(grid: Grid, fused: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if shown := [name for name in fused if name in grid.settings]:
        yield (
            f"{', '.join(shown)}: the label with the largest sum of the parts' log-probabilities, "
            "weighted alike; nothing of it is fitted on test."
        )


def _scores(grid: Grid, tests: Tests, caption: str, fusion: Sequence[str]) -> Table:
    columns = {"corpus": "", "clips": ",d", "speakers": "d", "chance": ".1f"}
    columns |= dict.fromkeys(grid.settings, ".1f")
    rows = [
        [*_corpus(grid, name), *(_cell(grid, setting, name, tests) for setting in grid.settings)]
        for name in grid.corpora
    ]
    notes = [
        "In brackets: 95 % bootstrap interval of the first seed, over speakers where at least five "
        "are known, else over clips. Means are over the corpora that all settings have, each with "
        "the same weight; ± is the standard deviation over seeds, where there are several.",
        f"+ and −: more and fewer clips are right than with {grid.first}, by McNemar's test over "
        "all clips of the first seed (mid-p, corrected by Holm for the number of corpora, "
        f"p < {P_BELOW}).",
        *fusion,
        *few_speakers_notes(grid),
    ]
    return Table("pooled", caption, columns, rows, _means(grid), notes)


def _corpus(grid: Grid, name: str) -> list[Cell]:
    result = grid.settings[grid.having(name)[0]][name][0].result
    return [name, result["n"], result["speakers"], grid.chance(name)]


def _cell(grid: Grid, setting: str, name: str, tests: Tests) -> Cell:
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


def _map(grid: Grid) -> Figure:
    settings = list(grid.settings)
    values, above = (
        np.array([[of(one, name, "test") for one in settings] for name in grid.corpora], float)
        for of in (grid.uar, grid.difference)
    )
    return heat_map(values, above, grid.marked_corpora(), settings, grid.first)


def _details(grid: Grid, tests: Tests) -> Table:
    rows = [
        _detail(grid, setting, name, tests)
        for name in grid.corpora
        for setting in grid.having(name)
    ]
    notes = [
        "Low and high: 95 % bootstrap interval of the first seed's UAR. Above: points of UAR above "
        f"{grid.first}. From, to and the p values are of the first seed that both have, over all "
        "clips: the paired 95 % bootstrap interval of the difference; McNemar's test, exact and "
        "mid-p, and mid-p corrected by Holm for the number of corpora.",
        *few_speakers_notes(grid),
    ]
    return Table("pooled_details", "Pooled folds in full", _DETAILS, rows, notes=notes)


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
