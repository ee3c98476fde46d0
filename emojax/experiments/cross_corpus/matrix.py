"""Cross-corpus matrix, and its table and heat map."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

import numpy as np

from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE
from emojax.experiments.cross_corpus.scoring import Score
from emojax.experiments.cross_corpus.systems import Levels
from emojax.experiments.reports.figures import heat_map
from emojax.experiments.reports.report import Picture
from emojax.experiments.reports.table import Cell, Marked, Table


@dataclasses.dataclass(frozen=True)
class Matrix:
    """Scores of systems of one kind under the levels of one dimension.

    Attributes:
      dimension: ``"arousal"`` or ``"valence"``.
      kind: kind of the systems: a feature set, or the user's name for some runs.
      scores: scores row by row; a row is a system, a column is a corpus.
    """

    dimension: str
    kind: str
    scores: Sequence[Score]

    @property
    def name(self) -> str:
        """Name of its files."""
        return f"cross_corpus_{self.dimension}_{self.kind}"

    @property
    def columns(self) -> list[str]:
        """Names of the tested corpora."""
        return list(dict.fromkeys(score.corpus for score in self.scores))

    @property
    def rows(self) -> list[str]:
        """Names of the tested systems."""
        return list(dict.fromkeys(score.system for score in self.scores))

    def of(self, row: str | None = None, column: str | None = None) -> list[Score]:
        """Return the scores of a row, of a column, or of one cell."""
        return [
            score
            for score in self.scores
            if row in (None, score.system) and column in (None, score.corpus)
        ]

    def chance(self, column: str) -> float | None:
        """Return the UAR of guessing, in percent."""
        return _mean(
            100 * score.result["chance"] for score in self.of(column=column) if score.result
        )


def matrix_table(matrix: Matrix, levels: Levels) -> Table:
    """Return the matrix as a table with notes; ``levels`` are the corpora of the matrix."""
    columns = matrix.columns
    rows: list[Sequence[Cell]] = [["chance", *(matrix.chance(column) for column in columns), None]]
    rows += [[row, *map(_shown, matrix.of(row)), _elsewhere(matrix.of(row))] for row in matrix.rows]
    means = [_elsewhere(matrix.of(column=column)) for column in columns]
    return Table(
        matrix.name,
        f"UAR of levels of {matrix.dimension}: {matrix.kind}",
        {"trained on": "", **dict.fromkeys(columns, ".1f"), "mean elsewhere": ".1f"},
        rows,
        ["mean elsewhere", *means, _elsewhere(matrix.scores)],
        list(_notes(matrix, levels)),
    )


def _elsewhere(scores: Iterable[Score]) -> float | None:
    """Return the mean UAR of systems on corpora that they were not trained on."""
    return _mean(score.uar for score in scores if not score.within)


def _shown(score: Score) -> Cell:
    if score.uar is None:
        return None
    return Marked(score.uar, ("*" if score.within else "") + score.few)


def _notes(matrix: Matrix, levels: Levels) -> Iterator[str]:
    """Yield notes on the numbers and on missing ones."""
    yield (
        "UAR in percent, over the levels that a test part has. * within: other speakers of a "
        "corpus that was trained on; the means are over the other cells."
    )
    within = _mean(score.uar for score in matrix.scores if score.within)
    if within is not None:
        yield f"Mean within: {within:.1f}."
    for name, corpus in levels.items():
        empty = [part for part, indices in corpus.partition.parts.items() if not len(indices)]
        if empty:
            yield f"{name} lacks one of its levels in {', '.join(empty)}, so these are not used."
    for name, corpus in levels.items():
        lacking = [
            level for level in corpus.labels if level not in {clip.label for clip in corpus.clips}
        ]
        if lacking:
            yield f"{name} has nothing that is {', '.join(lacking)}."
    for score in matrix.scores:
        if score.left_out:
            gone = "" if score.result else ", which leaves no two levels to tell apart"
            yield (
                f"{score.system} on {score.corpus}: {score.left_out} test clips are left out, "
                f"by speakers whose recordings it learnt from{gone}."
            )
    if any(score.few for score in matrix.scores):
        yield FEW_SPEAKERS_NOTE


def matrix_picture(matrix: Matrix) -> Picture:
    """Draw the matrix as a heat map, coloured by percentage points above chance."""
    rows, columns = matrix.rows, matrix.columns
    shape = len(rows), len(columns)
    values = np.array([score.uar for score in matrix.scores], float).reshape(
        shape
    )  # None becomes nan
    above = np.array([score.above_chance for score in matrix.scores], float).reshape(shape)
    framed = [
        place for place, score in zip(np.ndindex(shape), matrix.scores, strict=True) if score.within
    ]
    marked = [name + max(score.few for score in matrix.of(column=name)) for name in columns]
    figure = heat_map(values, above, rows, marked, "chance", framed)
    ax = figure.axes[0]
    ax.set_xlabel("tested on")
    ax.xaxis.set_label_position("top")
    ax.set_ylabel("trained on")
    caption = (
        f"UAR of levels of {matrix.dimension}, in percent: {matrix.kind}; "
        "framed: a corpus trained on"
    )
    return Picture(matrix.name, caption, figure)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
