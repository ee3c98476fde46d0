"""Tables 2, 4 and 5 of the transferable-features paper, and how sure each score is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emojax.experiments.reports.figures import heat_map
from emojax.experiments.reports.report import Picture
from emojax.experiments.reports.table import Cell, Marked, Table
from emojax.experiments.transferable.approaches import (
    ABLATED,
    ADAPTIVE_SVM,
    CNN,
    CNN_LSTM,
    SVM_IS,
    TARGET_ONLY,
    TRANSFERS,
    without,
)
from emojax.experiments.transferable.fold_scores import FoldScores
from emojax.experiments.transferable.pieces import (
    Pieces,
    gain_cell,
    having,
    means,
    notes,
    number,
    uar_cell,
    uar_map,
)

_TABLE_2 = "Table 2: UAR of one model for all corpora, without adaptation"
_READING = (
    "± is the standard deviation over folds. Each model learnt from all corpora together: so the "
    'paper\'s "samples from all datasets were used for training and testing" is read, because its '
    "CNN+LSTM scores there what its S1-A1 does, and not what its TT does."
)
_TABLE_4 = "Table 4: UAR where one corpus is left out of pre-training"
_ABLATED = (
    "S1-A2 and S2-A2 have the highest mean gain of their scenario in the paper; S1-A1 is the "
    "network as it was pre-trained."
)
_TABLE_5 = "Table 5: UAR of the adaptive SVM, and of the transfer that is best on devel"
_ADAPTIVE = (
    "The gain is that over the adaptive SVM, in percent of its UAR. This corrects an SVM of all "
    "other corpora; C and gamma of both do best in inner folds over speakers."
)
_DETAILS = {"setting": "", "corpus": "", "clips": ",d", "speakers": "d", "chance": ".1f"}
_DETAILS |= {"folds": "d", "mean UAR": ".1f", "deviation": ".1f", "mean devel": ".1f"}
_DETAILS |= {"pooled UAR": ".1f", "low": ".1f", "high": ".1f", "interval over": ""}


def table_2(scores: FoldScores) -> Pieces:
    """Yield Table 2: models that learnt from all corpora together, and its picture."""
    settings = [one for one in (SVM_IS, CNN, CNN_LSTM) if having(scores, one)]
    if not settings:
        return
    grid, first = scores.pooled.grid, settings[0]
    corpora = [one for one in grid.corpora if any(scores.uars(some, one) for some in settings)]

    def cell(setting: str, corpus: str) -> Cell:
        found = uar_cell(scores, setting, corpus, "" if setting == first else first)
        deviation = scores.deviation(setting, corpus)
        if found is None or deviation is None:
            return found
        return Marked(found.value, f" ± {deviation:.1f}{found.mark}")

    rows = [[one, grid.chance(one), *(cell(some, one) for some in settings)] for one in corpora]
    columns = {"corpus": "", "chance": ".1f", **dict.fromkeys(settings, ".1f")}
    foot = ["mean", *means(rows, *range(1, len(columns)))]
    yield Table("table_2", _TABLE_2, columns, rows, foot, notes(scores, first, _READING))
    caption = f"{_TABLE_2}, in percent, coloured by points above {first}"
    yield Picture("table_2", caption, uar_map(scores, corpora, settings))


def table_4(scores: FoldScores) -> Pieces:
    """Yield Table 4: transfers with one corpus left out of pre-training, and its picture."""
    sources = list(scores.pooled.grid.corpora)
    kept = [
        (corpus, transfer)
        for corpus in sources
        for transfer in ABLATED
        if any(scores.uars(without(transfer, source), corpus) for source in sources)
    ]
    if not kept:
        return

    def row(corpus: str, transfer: str) -> list[Cell]:
        settings = [without(transfer, source) for source in sources]
        cells = [uar_cell(scores, setting, corpus, transfer) for setting in settings]
        return [corpus, transfer, uar_cell(scores, transfer, corpus), *cells]

    rows = [row(*one) for one in kept]
    names = ["all", *(f"without {source}" for source in sources)]
    columns = {"target": "", "transfer": "", **dict.fromkeys(names, ".1f")}
    yield Table("table_4", _TABLE_4, columns, rows, notes=notes(scores, "all", _ABLATED))
    caption = f"{_TABLE_4}, in percent, coloured by points above all"
    yield _picture("table_4", caption, rows, [" ".join(one) for one in kept], names, 2)


def table_5(scores: FoldScores) -> Pieces:
    """Yield Table 5: the adaptive SVM beside the transfer that devel prefers, and its picture."""
    chosen = {
        corpus: best
        for corpus in having(scores, ADAPTIVE_SVM)
        if (best := scores.best(TRANSFERS, corpus, "devel"))
    }
    if not chosen:
        return

    def row(corpus: str, best: str) -> list[Cell]:
        first, own, tuned = (
            uar_cell(scores, one, corpus) for one in (ADAPTIVE_SVM, TARGET_ONLY, best)
        )
        found = scores.gains(best, ADAPTIVE_SVM)
        gain = gain_cell(found.corpora.get(corpus) if found else None)
        return [corpus, first, own, tuned, best, gain]

    rows = [row(*one) for one in chosen.items()]
    names = [ADAPTIVE_SVM, TARGET_ONLY, "best on devel"]
    columns = {"target": "", **dict.fromkeys(names, ".1f"), "which": "", "gain": "+z.1f"}
    foot: list[Cell] = ["mean", *means(rows, 1, 2, 3), None, *means(rows, 5)]
    about = notes(scores, "the adaptive SVM", _ADAPTIVE)
    yield Table("table_5", _TABLE_5, columns, rows, foot, about)
    caption = f"{_TABLE_5}, in percent, coloured by points above the SVM"
    yield _picture("table_5", caption, rows, list(chosen), names, 1)


def _picture(
    name: str,
    caption: str,
    rows: Sequence[Sequence[Cell]],
    titles: Sequence[str],
    columns: Sequence[str],
    begin: int,
) -> Picture:
    """Draw columns of a table, from a place on, coloured by points above the first of them."""
    end = begin + len(columns)
    values = np.array([[number(cell) for cell in row[begin:end]] for row in rows])
    figure = heat_map(values, values - values[:, :1], titles, columns, columns[0])
    return Picture(name, caption, figure)


def details(scores: FoldScores) -> Table:
    """Return a row for each setting and corpus: over folds, and over all clips together."""
    grid = scores.pooled.grid
    rows = [_detail(scores, one, corpus) for corpus in grid.corpora for one in grid.having(corpus)]
    about = (
        "Mean and deviation are over folds. Pooled: over the clips of all folds of the first seed, "
        "with a 95 % bootstrap interval over speakers where at least five are known, else over "
        "clips."
    )
    return Table("transferable_details", "The scores in full", _DETAILS, rows, notes=[about])


def _detail(scores: FoldScores, setting: str, corpus: str) -> list[Cell]:
    result = scores.pooled.grid.settings[setting][corpus][0].result
    chance, pooled, low, high = (
        100 * value for value in (result["chance"], result["uar"], *result["uar_ci95"])
    )
    row: list[Cell] = [setting, corpus, result["n"], result["speakers"], chance]
    row += [len(scores.uars(setting, corpus)), scores.uar(setting, corpus)]
    row += [scores.deviation(setting, corpus), scores.uar(setting, corpus, "devel")]
    return [*row, pooled, low, high, result["uar_ci95_over"]]
