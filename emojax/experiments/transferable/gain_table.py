"""Table 3: what each approach to transfer gains over a network of the target only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from emojax.evaluation.fold_gains import Gains
from emojax.experiments.reports.report import Picture
from emojax.experiments.reports.table import Cell, Table
from emojax.experiments.transferable.approaches import (
    APPROACHES,
    SCENARIOS,
    TARGET_ONLY,
    TRANSFERS,
)
from emojax.experiments.transferable.fold_scores import FoldScores
from emojax.experiments.transferable.pieces import (
    Pieces,
    gain_cell,
    having,
    notes,
    uar_cell,
    uar_map,
)

_CAPTION = "Table 3: UAR of the target only (TT), and gains of transfer over it in percent of it"
_ABOUT = (
    "A gain is the UAR over that of TT, minus 1; mean and deviation are over targets. S1: the "
    "target's training part is in pre-training; S2: it is not. A1: no tuning; A2: all layers are "
    "tuned; A3, A4 and A5: all but the first convolution, both, and both and the LSTM; A6, A7 and "
    "A8: the same, and what is tuned begins at random parameters. An answer is one of the emotions "
    "that the target has."
)


def table_3(scores: FoldScores) -> Pieces:
    """Yield Table 3, the scores behind it as a picture, and a picture of the mean gains."""
    corpora = having(scores, TARGET_ONLY)
    found = {one: some for one in TRANSFERS if (some := scores.gains(one, TARGET_ONLY))}
    if not found:
        return
    yield _table(scores, corpora, found)
    shown = [TARGET_ONLY, *found]
    best = [scores.best([*found], corpus, "test") for corpus in corpora]
    framed = [(row, shown.index(one)) for row, one in enumerate(best) if one]
    caption = "Table 3: UAR in percent, coloured by points above TT; each target's highest framed"
    yield Picture("table_3", caption, uar_map(scores, corpora, shown, framed))
    caption = "Mean gain over TT, and its standard deviation over targets"
    yield Picture("table_3_gains", caption, _gains_figure(found))


def _table(scores: FoldScores, corpora: list[str], found: Mapping[str, Gains]) -> Table:
    columns = {"target": "", TARGET_ONLY: ".1f", **dict.fromkeys(found, "+z.1f"), "highest": ""}

    def row(corpus: str) -> list[Cell]:
        gains = (some.corpora.get(corpus) for some in found.values())
        highest = scores.best([*found], corpus, "test")
        return [corpus, uar_cell(scores, TARGET_ONLY, corpus), *map(gain_cell, gains), highest]

    means = [100 * some.mean for some in found.values()]
    spread = [some.deviation for some in found.values()]
    # As text, since a deviation has no sign.
    deviations = [None if one is None else f"{100 * one:.1f}" for one in spread]
    rows: list[list[Cell]] = [*map(row, corpora), ["mean", None, *means, None]]
    foot: list[Cell] = ["deviation", None, *deviations, None]
    return Table("table_3", _CAPTION, columns, rows, foot, notes(scores, TARGET_ONLY, _ABOUT))


def _gains_figure(found: Mapping[str, Gains]) -> Figure:
    """Draw the mean gain of each approach in each scenario."""
    figure = Figure(figsize=(6.5, 3.6), layout="constrained")
    ax = figure.subplots()
    for number, scenario in enumerate(SCENARIOS):
        some = [found.get(f"{scenario}-{approach}") for approach in APPROACHES]
        means = [100 * one.mean if one else np.nan for one in some]
        deviations = [100 * (one.deviation or 0) if one else np.nan for one in some]
        places = np.arange(len(some)) + 0.12 * number
        ax.errorbar(places, means, deviations, fmt="o", capsize=3, label=scenario)
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_xticks(range(len(APPROACHES)), list(APPROACHES))
    ax.set_xlim(-0.5, len(APPROACHES) - 0.5)
    ax.set_ylabel("gain over TT in percent of it")
    ax.legend()
    return figure
