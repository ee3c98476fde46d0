"""Report of the experiment: the UAR of each system after each number of labelled clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.comparison import compare_predictions
from emojax.experiments.launch.plan import SCRATCH
from emojax.experiments.reports.figures import error_bars
from emojax.experiments.reports.pooling import Pooled, pool
from emojax.experiments.reports.provenance import score_report
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.results import Scored
from emojax.experiments.reports.score_grid import Grid
from emojax.experiments.reports.score_tables import P_BELOW
from emojax.experiments.reports.table import Cell, Marked, Table
from emojax.experiments.shots.drawing import EVERY
from emojax.experiments.shots.plan import setting_of
from emojax.experiments.shots.systems import NORMS, ZERO

_NO_CLIPS = 0.4  # place of no clips on the logarithmic axis
_SELECTION = (
    "None: no system has a devel part. A network answers in its last state; the SVMs have C = 1 "
    "and an RBF kernel with gamma = 1 / number of features. All learn from the same clips."
)


def shots_report(
    workdirs: Mapping[str, Sequence[Path]],
    corpora: Mapping[str, PreparedCorpus],
    shots: Sequence[str],
    missing: str = "",
) -> Report:
    """Show a table of all corpora, and a curve of each.

    Args:
      workdirs: setting, of :func:`emojax.experiments.shots.plan.setting_of`, → folders of its
        folds.
      corpora: the corpora.
      shots: numbers of clips per label.
      missing: which results should be there and are not.

    Raises:
      ValueError: a folder has no results, or no setting has all folds of a corpus.
    """
    pooled = pool(workdirs, corpora)
    grid = pooled.grid
    rows = [one for one in (ZERO, NORMS, *shots) if _having(grid, one)]
    systems = _systems(grid)
    pieces: list[Table | Picture] = [_table(pooled, rows, systems)]
    for name in grid.corpora:
        caption = f"{name}: UAR by the number of labelled clips per label, in percent"
        figure = _curve(pooled, name, rows, systems)
        pieces.append(Picture(f"shots_{name}", f"{caption}; bars: 95 % interval", figure))
    title = f"A few labelled clips of corpora that were never learnt from: {', '.join(systems)}"
    gaps = pooled.missing(missing)
    return score_report(grid, "shots", title, _SELECTION, pieces, gaps, pooled.runs)


def _systems(grid: Grid) -> list[str]:
    """The systems of all settings, which are named by :func:`setting_of`."""
    return list(dict.fromkeys(setting.rpartition(": ")[0] for setting in grid.settings))


def _having(grid: Grid, shots: str) -> list[str]:
    return [one for one in _systems(grid) if setting_of(one, shots) in grid.settings]


def _scored(grid: Grid, system: str, shots: str, corpus: str) -> Scored | None:
    """The score of the first seed, if all of its folds are there."""
    return next(iter(grid.settings.get(setting_of(system, shots), {}).get(corpus, ())), None)


def _table(pooled: Pooled, rows: Sequence[str], systems: Sequence[str]) -> Table:
    grid = pooled.grid
    columns = {"corpus": "", "speakers": "d", "chance": ".1f", "clips a label": ""}
    columns |= {"clips": ".0f", **dict.fromkeys(systems, ".1f")}
    marks = {(system, one): _marks(grid, system, one) for system in systems for one in rows}
    cells = [
        [
            *_facts(pooled, name, one),
            *(_cell(grid, system, one, name, marks[system, one]) for system in systems),
        ]
        for name in grid.corpora
        for one in rows
        if any(_scored(grid, system, one, name) for system in systems)
    ]
    notes = [
        "In brackets: 95 % bootstrap interval, over speakers where at least five are known, else "
        "over clips. Several seeds: mean ± standard deviation, the interval of the first. Clips: "
        "how many are learnt from, mean over folds; a label with fewer clips has all of them.",
        "0: the head of common emotions of the trained model; a label without a common word is "
        "never its answer. Norms: re-estimated on the recordings of the training speakers, without "
        "labels.",
        f"+ and −: more and fewer clips are right than with {SCRATCH} after as many clips, by "
        f"McNemar's test of the first seed (mid-p, by Holm over the corpora, p < {P_BELOW}).",
    ]
    return Table(
        "shots", "UAR by the number of labelled clips per label", columns, cells, notes=notes
    )


def _facts(pooled: Pooled, name: str, shots: str) -> list[Cell]:
    grid = pooled.grid
    result = grid.settings[grid.having(name)[0]][name][0].result
    clips = None if shots in (ZERO, NORMS) else fmean(_learnt(pooled, name, shots))
    return [name, result["speakers"], 100 * result["chance"], shots, clips]


def _learnt(pooled: Pooled, name: str, shots: str) -> Iterator[int]:
    """Yield the number of training clips of each run with this number of clips per label."""
    for system in _having(pooled.grid, shots):
        for one in pooled.runs.settings[setting_of(system, shots)].get(name, ()):
            yield one.run["learnt_clips"]


def _cell(grid: Grid, system: str, shots: str, name: str, marks: Mapping[str, str]) -> Cell:
    scored, setting = _scored(grid, system, shots, name), setting_of(system, shots)
    if scored is None:
        return None
    low, high = (100 * end for end in scored.result["uar_ci95"])
    deviation = grid.deviation(setting, name, "test")
    spread = "" if deviation is None else f" ± {deviation:.1f}"
    mark = marks.get(name, "") + grid.few_speakers(setting, name)
    mean = fmean(grid.uars(setting, name, "test"))
    return Marked(mean, f"{spread} [{low:.1f}, {high:.1f}]{mark}")


def _marks(grid: Grid, system: str, shots: str) -> dict[str, str]:
    """Return corpus → + or − where a system is significantly better or worse than scratch."""
    pairs = {
        name: (own, first)
        for name in grid.corpora
        if system != SCRATCH
        and (own := _scored(grid, system, shots, name))
        and (first := _scored(grid, SCRATCH, shots, name))
    }
    predictions = {
        name: (own.predictions, first.predictions) for name, (own, first) in pairs.items()
    }
    significant = [
        one.corpus
        for one in compare_predictions(predictions, (system, SCRATCH))
        if one.holm_p < P_BELOW
    ]
    wars = {name: [one.result["war"] for one in pairs[name]] for name in significant}
    return {name: "+" if own > first else "−" for name, (own, first) in wars.items()}


def _curve(pooled: Pooled, name: str, rows: Sequence[str], systems: Sequence[str]) -> Figure:
    """Draw the UAR of each system over the number of clips a label, with intervals and chance."""
    grid = pooled.grid
    labels = len(grid.settings[grid.having(name)[0]][name][0].result["labels"])
    there = [one for one in rows if any(_scored(grid, system, one, name) for system in systems)]
    places = {one: _place(pooled, name, one, labels) for one in there}
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = figure.subplots()
    for number, system in enumerate(systems):
        known = {k: one for k in there if (one := _scored(grid, system, k, name))}
        shift = 1.03 ** (number - len(systems) / 2)  # so that bars do not hide each other
        uars = [fmean(grid.uars(setting_of(system, k), name, "test")) for k in known]
        ends = [[100 * end for end in one.result["uar_ci95"]] for one in known.values()]
        bars = error_bars(uars, ends)
        at = [places[k] * shift for k in known]
        ax.errorbar(at, uars, bars, marker="o", markersize=4, capsize=2, label=system)
    ax.axhline(grid.chance(name), color="gray", linestyle="--", linewidth=1, label="chance")
    ax.set_xscale("log")
    ax.set_xticks([*places.values()], [one.replace(", ", ",\n") for one in places])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("labelled clips per label (logarithmic)")
    ax.set_ylabel("UAR in percent")
    ax.set_title(f"{name}{_few(grid, name)}", fontsize=10, parse_math=False)
    ax.legend(fontsize=8)
    return figure


def _few(grid: Grid, name: str) -> str:
    return max(grid.few_speakers(setting, name) for setting in grid.having(name))


def _place(pooled: Pooled, name: str, shots: str, labels: int) -> float:
    """Return the place of a number of clips a label on the axis."""
    if shots in (ZERO, NORMS):
        return _NO_CLIPS * (1.3 if shots == NORMS else 1)
    return fmean(_learnt(pooled, name, shots)) / labels if shots == EVERY else float(shots)
