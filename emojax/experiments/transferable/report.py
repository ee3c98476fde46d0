"""Report of the transferable-features paper's tables, from finished runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from emojax.data.prepared import PreparedCorpus
from emojax.experiments.reports.provenance import score_report
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.table import Table
from emojax.experiments.transferable.emotion_sets import restrict, set_pieces
from emojax.experiments.transferable.fold_scores import FoldScores, read_scores
from emojax.experiments.transferable.gain_table import table_3
from emojax.experiments.transferable.pieces import Pieces
from emojax.experiments.transferable.tables import details, table_2, table_4, table_5

NAME = "transferable"
_TITLE = "Transferable features"
_NORMALISATION = (
    "Networks: each clip over its own samples. SVM-IS: each feature over train and devel of all "
    "corpora. Adaptive SVM: each feature over train and devel of its corpus. Per speaker: none."
)
_SELECTION = (
    "In each fold, the state of a network with the best UAR on devel, and in Table 5 the transfer "
    "with the best mean of that; C and gamma of SVMs by inner folds over speakers of train and "
    "devel. Which gain is highest in Table 3 was seen on test, and is no choice."
)
_TABLES: dict[str, Callable[[FoldScores], Pieces]] = {
    "2": table_2,
    "3": table_3,
    "4": table_4,
    "5": table_5,
}


def transferable_report(
    workdirs: Mapping[str, Sequence[Path]],
    corpora: Mapping[str, PreparedCorpus],
    tables: Collection[str],
    label_words: str = "",
    left_out: Sequence[str] = (),
    missing: str = "",
) -> Report:
    """Show some tables of finished runs.

    Args:
      workdirs: setting → folders of its results; empty for Table 1 alone.
      corpora: those to show, with all of their clips.
      tables: some of "1" to "5"; one whose runs are missing is left out.
      label_words: text for :func:`emojax.corpora.affect.parse_mapping`.
      left_out: lines on corpora that are not used.
      missing: which runs should be there and are not.

    Raises:
      ValueError: as :func:`emojax.experiments.reports.pooling.pool`.
    """
    restricted = restrict(corpora, label_words)
    pieces = set_pieces(corpora, restricted) if "1" in tables else []
    if workdirs:
        scores = read_scores(workdirs, corpora, restricted)
        for table in filter(_TABLES.__contains__, sorted(tables)):
            pieces += _TABLES[table](scores)
        report = _with_provenance(scores, [*pieces, details(scores)], missing)
    else:
        report = Report(NAME, _TITLE, "All clips are counted.", "", "", "", pieces, missing)
    return dataclasses.replace(report, protocol="; ".join([report.protocol, *left_out]))


def _with_provenance(scores: FoldScores, pieces: Sequence[Table | Picture], missing: str) -> Report:
    grid, runs, gaps = scores.pooled.grid, scores.pooled.runs, scores.pooled.missing(missing)
    report = score_report(grid, NAME, _TITLE, _SELECTION, pieces, gaps, runs)
    seeds = ", ".join(map(str, sorted({one.seed for one in runs.runs()})))
    return dataclasses.replace(report, seeds=seeds, normalisation=_NORMALISATION)
