"""Report of the experiment: a row and a point for each size."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.metrics import mean_uar_interval
from emojax.experiments.reports.figures import error_bars
from emojax.experiments.reports.interval_tables import (
    details_table,
    interval_cell,
    interval_notes,
)
from emojax.experiments.reports.pooling import pool
from emojax.experiments.reports.provenance import score_report
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.results import Scored
from emojax.experiments.reports.score_grid import Grid
from emojax.experiments.reports.score_tables import Tests
from emojax.experiments.reports.table import Table
from emojax.experiments.size.cost import Cost, network_cost, training_s

_COLUMNS = {"width": "d", "depth": "d", "shared": ",d", "own, each": ",d"}
_COLUMNS |= {
    "one shared network": ",d",
    "folded": ",d",
    "MFLOP for 1 s": ",.1f",
    "training s": ",.0f",
}
_SELECTION = (
    "In each fold, the state with the best mean UAR on the devel parts; the last one where all but "
    "the test part is learnt from. No size was chosen by these figures: every clip is tested here, "
    "so a size that is chosen by them has no test left."
)
_NOTES = (
    "Parameters: shared by all corpora, a corpus's own (adapters, norms and head), one shared "
    "network of all these corpora, and folded: the network of one corpus for answers, whose "
    "adapters are added to its kernels. MFLOP: million operations, two of them a multiply-add, for "
    "the answer to a clip of one second, without the front-end, counted by XLA.",
    "Training s: wall time in seconds of the training steps of one network on the machine that "
    "trained it, with compiling, as the run noted it; mean over folds and seeds. Other work of "
    "that machine makes it longer.",
    "Low and high: 95 % bootstrap interval of the mean UAR of the first seed; every corpus is "
    "resampled by itself, as for its own interval.",
)


@dataclasses.dataclass(frozen=True)
class _Size:
    """What a size costs, and its UAR in percent: the mean over corpora, and the interval of it."""

    setting: str
    width: int
    depth: int
    cost: Cost
    training_s: float | None
    mean: float
    interval: tuple[float, float]


def size_report(
    workdirs: Mapping[str, Sequence[Path]],
    corpora: Mapping[str, PreparedCorpus],
    missing: str = "",
) -> Report:
    """Show what each size costs and scores: a table, a picture, and all scores in full.

    Args:
      workdirs: setting, of :func:`emojax.experiments.size.plan.setting_of`, → work directories of
        its folds, first the size to compare with.
      corpora: the corpora of all runs.
      missing: which runs should be there and are not.

    Raises:
      ValueError: as :func:`emojax.experiments.reports.pooling.pool`.
    """
    pooled = pool(workdirs, corpora)
    grid = pooled.grid
    tests = {setting: grid.compared(setting) for setting in grid.others}
    sizes = [_size(grid, one, workdirs[one], corpora) for one in grid.settings]
    caption = f"UAR in percent against parameters, mean of {len(grid.common())} corpora"
    pieces: list[Table | Picture] = [
        _table(grid, sizes, tests),
        Picture("size", f"{caption}; bars: 95 % interval", _figure(sizes)),
        details_table(grid, tests, "size_details", "Sizes in full"),
    ]
    title = f"Sizes of one shared network: {', '.join(grid.settings)}"
    gaps = pooled.missing(missing)
    report = score_report(grid, "size", title, _SELECTION, pieces, gaps, pooled.runs)
    return dataclasses.replace(report, seeds=pooled.seeds())


def _size(
    grid: Grid, setting: str, workdirs: Iterable[Path], corpora: Mapping[str, PreparedCorpus]
) -> _Size:
    scored, names = grid.settings[setting], grid.common()
    config = scored[names[0]][0].run["config"]
    classes = max(len(one.spec.labels) for one in corpora.values())
    cost = network_cost(config, len(corpora), classes)
    times_s = [time_s for one in workdirs if (time_s := training_s(one)) is not None]
    time_s = fmean(times_s) if times_s else None
    mean = fmean(fmean(grid.uars(setting, name, "test")) for name in names)
    low, high = mean_uar_interval(_tested(scored[name][0]) for name in names)
    size = config["width"], config["depth"]
    return _Size(setting, *size, cost, time_s, mean, (100 * low, 100 * high))


def _tested(one: Scored) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """True labels, predictions and speakers of the tested clips, by number of the label."""
    rows, number = one.predictions.values(), one.result["labels"].index
    truth = np.array([number(row.label) for row in rows])
    return truth, np.array([number(row.prediction) for row in rows]), [row.speaker for row in rows]


def _table(grid: Grid, sizes: Iterable[_Size], tests: Tests) -> Table:
    uars = [f"{name} UAR" for name in grid.corpora]
    rows = [
        [
            *(one.width, one.depth, *dataclasses.astuple(one.cost), one.training_s),
            *(interval_cell(grid, one.setting, name, tests) for name in grid.corpora),
            *(one.mean, *one.interval),
        ]
        for one in sizes
    ]
    columns = _COLUMNS | dict.fromkeys([*uars, "mean", "low", "high"], ".1f")
    chance = fmean(map(grid.chance, grid.common()))
    over = f"The mean is over {', '.join(grid.common())}; chance is {chance:.1f}."
    caption = "UAR in percent against parameters and time"
    return Table("size", caption, columns, rows, notes=[*_NOTES, over, *interval_notes(grid)])


def _figure(sizes: Iterable[_Size]) -> Figure:
    """Draw the mean UAR over the parameters of the shared network, a line for each depth."""
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = figure.subplots()
    known = sorted(sizes, key=lambda one: (one.depth, one.cost.together))
    for depth, some in itertools.groupby(known, key=lambda one: one.depth):
        own = list(some)
        millions, means = [one.cost.together / 1e6 for one in own], [one.mean for one in own]
        bars = error_bars(means, [one.interval for one in own])
        ax.errorbar(
            millions, means, bars, marker="o", markersize=4, capsize=2, label=f"depth {depth}"
        )
        for one, x in zip(own, millions, strict=True):
            place = x, one.mean
            ax.annotate(f"{one.width}", place, (4, 4), textcoords="offset points", fontsize=8)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("million parameters of one shared network (logarithmic); at each point its width")
    ax.set_ylabel("mean UAR in percent")
    ax.legend(fontsize=8)
    return figure
