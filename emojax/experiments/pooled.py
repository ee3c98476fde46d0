"""Pooled folds: every clip of every corpus is tested once, and settings are compared on all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from emojax.data.prepared import PreparedCorpus
from emojax.experiments.reports.interval_tables import details_table, gain_map, interval_table
from emojax.experiments.reports.pooling import pool
from emojax.experiments.reports.provenance import score_report
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.score_grid import Grid
from emojax.experiments.reports.score_tables import rank_pictures
from emojax.experiments.reports.sex_table import sex_tables
from emojax.experiments.reports.table import Table


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
        interval_table(grid, tests, "pooled", caption, [*_fusion_note(grid, fused or {})]),
        Picture("pooled", picture, gain_map(grid)),
        *rank_pictures(grid),
        *sex_tables(grid, "pooled", caption),
        details_table(grid, tests, "pooled_details", "Pooled folds in full"),
    ]
    title = f"Pooled folds: {', '.join(grid.settings)}"
    selection = (
        "In each fold, the best UAR on its devel part: of a network's states by the mean over its "
        "corpora, of an SVM's C. Settings were not chosen on these figures: every clip is tested "
        "here, so a setting that is chosen by them has no test left."
    )
    gaps = pooled.missing(missing)
    report = score_report(grid, "pooled", title, selection, pieces, gaps, pooled.runs)
    return dataclasses.replace(report, seeds=pooled.seeds(), scores=_scores(grid))


def _scores(grid: Grid) -> dict[str, dict[str, Mapping]]:
    """Return setting → corpus → the scores of the first seed."""
    return {
        setting: {name: runs[0].result for name, runs in scored.items()}
        for setting, scored in grid.settings.items()
    }


def _fusion_note(grid: Grid, fused: Mapping[str, Sequence[str]]) -> Iterator[str]:
    if shown := [name for name in fused if name in grid.settings]:
        yield (
            f"{', '.join(shown)}: the label with the largest sum of the parts' log-probabilities, "
            "weighted alike; nothing of it is fitted on test."
        )
