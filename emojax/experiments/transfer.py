"""Settings compared corpus by corpus: the paper's Table 4 and Figure 7, from finished runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from emojax.evaluation.compare import Comparison
from emojax.experiments.grid import PARTS, Grid, read_grid
from emojax.experiments.heat_map import heat_map
from emojax.experiments.report import Picture, Report
from emojax.experiments.table import Cell, Marked, Table

_DETAILS = {
    "setting": "",
    "corpus": "",
    "test clips": ",d",
    "chance": ".1f",
    "UAR devel": ".1f",
    "UAR test": ".1f",
    "devel above first": "+.1f",
    "test above first": "+.1f",
    "from": "+.1f",
    "to": "+.1f",
    "p": ".4f",
    "p by Holm": ".4f",
    "mark": "",
    "protocol": "",
}
_RUNS = {"setting": "", "run": "", "corpora": "", "mode": "", "seed": "d", "step": ",d", "utterance": ""}
_RUNS |= {"commit": "", "command": ""}

Tests = Mapping[str, Mapping[str, Comparison]]
_P_BELOW = 0.05


def transfer(workdirs: Mapping[str, Sequence[Path]], corpora: Sequence[str] = ()) -> Report:
    """Compare finished runs with those of the first setting.

    Args:
      workdirs: setting → its work directories.
      corpora: those to compare; all, if empty.

    Raises:
      ValueError: fewer than two settings, a run without results, a corpus that no run has, or settings that
        were not tested on the same clips.
    """
    grid = read_grid(workdirs, corpora)
    tests = {setting: grid.compared(setting) for setting in grid.others}
    runs = _runs(grid)
    seeds = {str(row[4]) for row in runs.rows}
    return Report(
        name="transfer",
        title=f"UAR beside {grid.first}: {', '.join(grid.others)}",
        protocol=_protocols(grid),
        seeds=f"{', '.join(sorted(seeds))}; one run of each corpus in each setting.",
        normalisation=_normalisation(grid),
        selection="Best UAR on devel: of a network's states by the mean over its corpora, of an SVM's C.",
        pieces=[_table_4(grid, tests), _figure_7(grid), _details(grid, tests), runs],
    )


def _protocols(grid: Grid) -> str:
    """Which corpora were tested how."""
    tested: dict[str, list[str]] = defaultdict(list)
    for name in grid.corpora:
        for protocol in {grid.settings[one][name].result["protocol"]: 0 for one in grid.having(name)}:
            tested[protocol].append(name)
    return "; ".join(f"{', '.join(names)}: {protocol}" for protocol, names in tested.items())


def _normalisation(grid: Grid) -> str:
    """Which settings saw all clips of the tested speakers, above all."""
    names = [
        setting
        for setting, scored in grid.settings.items()
        if any(one.run["config"].get("speaker_normalisation") for one in scored.values())
    ]
    per_speaker = ", ".join(names) or "none"
    return f"Networks: each utterance's log-mel over its own frames. Per speaker: {per_speaker}."


def _table_4(grid: Grid, tests: Tests) -> Table:
    columns = {f"{setting} {part}": ".1f" for setting in grid.settings for part in PARTS}
    notes = [
        "UAR in percent; means are over the corpora that all settings have.",
        _about_marks(grid.first),
    ]
    return Table(
        "table_4",
        f"Table 4: UAR of each setting, compared with {grid.first}",
        {"corpus": "", "chance": ".1f", **columns},
        [_row(grid, name, tests) for name in grid.corpora],
        _means(grid),
        notes,
    )


def _row(grid: Grid, name: str, tests: Tests) -> list[Cell]:
    row: list[Cell] = [name, grid.chance(name)]
    for setting in grid.settings:
        devel, test = (grid.uar(setting, name, part) for part in PARTS)
        row += [devel, test if test is None else Marked(test, _mark(grid, setting, name, tests))]
    return row


def _means(grid: Grid) -> list[Cell]:
    """The foot: means over the corpora that all settings have; empty where there are none."""
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


def _mark(grid: Grid, setting: str, name: str, tests: Tests) -> str:
    """+ or − where the share of clips that are right differs significantly from the first setting's."""
    test = tests.get(setting, {}).get(name)
    if test is None or test.holm_p >= _P_BELOW:
        return ""
    own, first = (grid.settings[one][name].result["war"] for one in (setting, grid.first))
    return "+" if own > first else "−"


def _about_marks(first: str) -> str:
    return (
        f"+ and − behind a test UAR: more and fewer clips are right than with {first}, by McNemar's test "
        f"(mid-p, corrected by Holm for the number of corpora, p < {_P_BELOW}). Where classes are unequally "
        "frequent, that need not agree with UAR."
    )


def _figure_7(grid: Grid) -> Picture:
    columns = [(setting, part) for setting in grid.settings for part in PARTS]

    def array(value) -> np.ndarray:
        found = [[value(setting, name, part) for setting, part in columns] for name in grid.corpora]
        return np.array(found, float)  # None becomes nan

    names = [f"{setting}\n{part}" for setting, part in columns]
    figure = heat_map(array(grid.uar), array(grid.difference), grid.corpora, names, grid.first)
    return Picture(
        "figure_7", f"Figure 7: UAR in percent, coloured by what it gained on {grid.first}", figure
    )


def _details(grid: Grid, tests: Tests) -> Table:
    rows = [_detail(grid, setting, name, tests) for name in grid.corpora for setting in grid.having(name)]
    notes = [
        f"Above: points of UAR above {grid.first}, on test with the paired 95 % bootstrap interval; p: "
        "McNemar's mid-p, and corrected by Holm for the number of corpora."
    ]
    return Table("table_4_details", "Table 4 in full", _DETAILS, rows, notes=notes)


def _detail(grid: Grid, setting: str, name: str, tests: Tests) -> list[Cell]:
    result = grid.settings[setting][name].result
    uars = [grid.uar(setting, name, part) for part in PARTS]
    row = [setting, name, result["n"], grid.chance(name), *uars]
    test = tests.get(setting, {}).get(name)
    if test is None:
        return [*row, *[None] * 6, "", result["protocol"]]
    above = [grid.difference(setting, name, part) for part in PARTS]
    interval = [100 * end for end in test.ci95]
    mark = _mark(grid, setting, name, tests)
    return [*row, *above, *interval, test.mid_p, test.holm_p, mark, result["protocol"]]


def _runs(grid: Grid) -> Table:
    rows = [row for setting in grid.settings for row in _runs_of(grid, setting)]
    return Table("runs", "The runs behind these numbers", _RUNS, rows)


def _runs_of(grid: Grid, setting: str) -> Iterable[list[Cell]]:
    scored = {name: one for name, one in grid.settings[setting].items() if name in grid.corpora}
    for workdir in dict.fromkeys(one.workdir for one in scored.values()):
        names = [name for name, one in scored.items() if one.workdir == workdir]
        run = scored[names[0]].run
        config = run["config"]
        mode = config.get("transfer") or config.get("features", "")
        how = run["utterance"], run.get("commit") or "unknown", run["command"]
        yield [setting, workdir.name, ", ".join(names), mode, config["seed"], run["step"], *how]
