"""Settings compared corpus by corpus: the paper's Table 4 and Figure 7, from finished runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

from emojax.experiments.reports.provenance import score_report
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.score_grid import PARTS, Grid, read_grid
from emojax.experiments.reports.score_tables import (
    P_BELOW,
    Tests,
    few_speakers_notes,
    mark_difference,
    rank_pictures,
    score_map,
    score_table,
)
from emojax.experiments.reports.table import Cell, Marked, Table

# Suffix of a setting with the same base, in which only the head was tuned.
HEAD = ", head"
_DETAILS = {
    "setting": "",
    "corpus": "",
    "test clips": ",d",
    "speakers": "d",
    "chance": ".1f",
    "seeds": "d",
}
_DETAILS |= {f"{what} {part}": ".1f" for part in PARTS for what in ("UAR", "deviation")}
_DETAILS |= {
    "devel above first": "+z.1f",
    "test above first": "+z.1f",
    "from": "+z.1f",
    "to": "+z.1f",
}
_DETAILS |= {"exact p": ".4f", "mid-p": ".4f", "mid-p by Holm": ".4f", "mark": "", "ε_min": ".2f"}
_DETAILS |= {"protocol": ""}


def transfer_report(
    workdirs: Mapping[str, Sequence[Path]], corpora: Sequence[str] = (), missing: str = ""
) -> Report:
    """Compare finished runs with those of the first setting.

    Args:
      workdirs: setting → its work directories.
      corpora: names of corpora to compare; all, if empty.
      missing: text on the missing runs.

    Raises:
      ValueError: there are fewer than two settings, a run has no results, a corpus is in no run, or
        settings were not tested on the same clips.
    """
    if len(workdirs) < 2:
        raise ValueError(
            f"there are runs of {len(workdirs)} settings; give two or more, first the one to "
            "compare with, as in --workdirs=scratch=FOLDER,shared=FOLDER or --settings=scratch,all"
        )
    grid = read_grid(workdirs, corpora)
    tests = {setting: grid.compared(setting) for setting in grid.others}
    pieces: list[Table | Picture] = [
        _table_4(grid, tests),
        *_figures_7(grid),
        *rank_pictures(grid),
        _details(grid, tests),
    ]
    title = f"UAR beside {grid.first}: {', '.join(grid.others)}"
    selection = (
        "Best UAR on devel: of a network's states by the mean over its corpora, of an SVM's C."
    )
    return score_report(grid, "transfer", title, selection, pieces, missing)


def _table_4(grid: Grid, tests: Tests) -> Table:
    caption = f"Table 4: UAR of each setting, compared with {grid.first}"
    about = (
        f"+ and − behind a test UAR: more and fewer clips are right than with {grid.first}, "
        "by McNemar's test of the first seed "
        f"(mid-p, corrected by Holm for the number of corpora, p < {P_BELOW}). "
        "Where classes are unequally frequent, that need not agree with UAR."
    )
    return score_table(
        grid,
        "table_4",
        caption,
        lambda setting, name: mark_difference(grid, setting, name, tests),
        [about],
    )


def _figures_7(grid: Grid) -> Iterable[Picture]:
    """Yield pictures of all settings beside the first, and of adapters beside heads alone."""
    figure = score_map(grid, list(grid.settings), grid.difference, grid.first)
    caption = f"Figure 7: UAR in percent, coloured by what it gained on {grid.first}"
    yield Picture("figure_7", caption, figure)
    bases = [setting for setting in grid.settings if setting + HEAD in grid.settings]
    if bases:

        def above_head(setting: str, corpus: str, part: str) -> float | None:
            own, head = (grid.uar(one, corpus, part) for one in (setting, setting + HEAD))
            return None if own is None or head is None else own - head

        figure = score_map(grid, bases, above_head, "the head alone")
        caption = (
            "Figure 7a: adapters tuned on a single corpus's network, coloured by what they gained"
        )
        yield Picture("figure_7a", f"{caption} on tuning of the head alone", figure)


def _details(grid: Grid, tests: Tests) -> Table:
    orders = {setting: grid.stochastic_order(setting) for setting in grid.others}
    rows = [
        _detail(grid, setting, name, tests, orders)
        for name in grid.corpora
        for setting in grid.having(name)
    ]
    notes = [
        f"Above: points of UAR above {grid.first}. From, to and the p values are of a single run "
        "of each, of the first seed that both have, none otherwise: the paired 95 % bootstrap "
        "interval of the difference on test; McNemar's test, exact and mid-p, and mid-p corrected "
        "by Holm for the number of corpora. Over all seeds: the standard deviation, and ε_min of "
        "Almost Stochastic Order on test (95 %, corrected by Bonferroni for the number of "
        f"corpora), which says that a setting is better than {grid.first} where it is below 0.5, "
        "surely below 0.2.",
        *few_speakers_notes(grid),
    ]
    return Table("table_4_details", "Table 4 in full", _DETAILS, rows, notes=notes)


def _detail(
    grid: Grid, setting: str, name: str, tests: Tests, orders: Mapping[str, Mapping[str, float]]
) -> list[Cell]:
    runs = grid.settings[setting][name]
    result = runs[0].result
    row: list[Cell] = [setting, name, result["n"], runs[0].speakers, grid.chance(name), len(runs)]
    row += [grid.uar(setting, name, "devel"), grid.deviation(setting, name, "devel")]
    row += [Marked(fmean(grid.uars(setting, name, "test")), grid.few_speakers(setting, name))]
    row += [grid.deviation(setting, name, "test")]
    test = tests.get(setting, {}).get(name)
    if test is None:
        return [*row, *[None] * 7, "", None, result["protocol"]]
    above = [grid.difference(setting, name, part) for part in PARTS]
    interval = [100 * end for end in test.ci95]
    mark, order = mark_difference(grid, setting, name, tests), orders[setting].get(name)
    p_values = test.exact_p, test.mid_p, test.holm_p
    return [*row, *above, *interval, *p_values, mark, order, result["protocol"]]
