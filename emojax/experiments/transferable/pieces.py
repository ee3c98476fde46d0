"""Notes, cells and a picture that several tables of the experiment use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from emojax.evaluation.fold_gains import Gain
from emojax.experiments.reports.figures import heat_map
from emojax.experiments.reports.report import Picture
from emojax.experiments.reports.score_tables import few_speakers_notes
from emojax.experiments.reports.table import Cell, Marked, Table
from emojax.experiments.transferable.fold_scores import FoldScores, mark

Pieces = Iterator[Table | Picture]


def notes(scores: FoldScores, reference: str, *more: str) -> list[str]:
    """Return the lines below a table: what its numbers and marks are."""
    return [
        "UAR in percent is the mean over folds, of all seeds.",
        f"+ and −: better and worse than {reference}, by a paired t-test over folds (p ≤ 0.05). "
        "Folds share training clips and nothing is corrected for the number of tests: of twenty "
        "without any difference, one or more are marked.",
        *more,
        *few_speakers_notes(scores.pooled.grid),
    ]


def uar_cell(scores: FoldScores, setting: str, corpus: str, reference: str = "") -> Marked | None:
    """Return a mean UAR, marked where it differs from a reference or few speakers are tested."""
    uar = scores.uar(setting, corpus)
    if uar is None:
        return None
    beside = scores.mark(setting, reference, corpus) if reference else ""
    return Marked(uar, beside + scores.pooled.grid.few_speakers(setting, corpus))


def gain_cell(gain: Gain | None) -> Marked | None:
    """Return a relative gain in percent, marked where it is significant.

    >>> gain_cell(Gain(0.125, 0.05))
    Marked(value=12.5, mark='+')
    """
    return None if gain is None else Marked(100 * gain.relative, mark(gain))


def uar_map(
    scores: FoldScores,
    corpora: Sequence[str],
    settings: Sequence[str],
    framed: Sequence[tuple[int, ...]] = (),
) -> Figure:
    """Draw the UAR of settings on corpora, coloured by points above the first setting."""
    grid = scores.pooled.grid
    values = np.array([[scores.uar(one, corpus) for one in settings] for corpus in corpora], float)
    marked = dict(zip(grid.corpora, grid.marked_corpora(), strict=True))
    names = [marked[corpus] for corpus in corpora]
    return heat_map(values, values - values[:, :1], names, settings, settings[0], framed)


def having(scores: FoldScores, setting: str) -> list[str]:
    """Return the corpora that a setting has."""
    return [one for one in scores.pooled.grid.corpora if scores.uars(setting, one)]


def number(cell: Cell) -> float:
    """Return the number of a cell; nan of an empty one."""
    return float("nan") if cell is None else float(str(cell))


def means(rows: Sequence[Sequence[Cell]], *columns: int) -> list[Cell]:
    """Return the means of some columns, None of one with an empty cell.

    >>> means([["a", 1.0, 2.0], ["b", 2.0, None]], 1, 2)
    [1.5, None]
    """
    found = [[row[column] for row in rows] for column in columns]
    return [None if None in some else fmean(map(number, some)) for some in found]
