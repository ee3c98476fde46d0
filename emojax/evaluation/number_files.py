"""Files and tables of predicted numbers: ``numbers.csv`` and the printed table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE, few_speakers
from emojax.evaluation.number_scores import NumbersResult
from emojax.evaluation.score_files import NUMBERS_FILE, as_text
from emojax.files import write_csv


class PredictedNumber(NamedTuple):
    """True and predicted number of one column of one tested clip: a row of ``numbers.csv``."""

    corpus: str
    file: str
    speaker: str
    column: str
    truth: float
    prediction: float


def numbers_of(
    result: NumbersResult, files: Sequence[str], speakers: Sequence[str]
) -> list[PredictedNumber]:
    """Return the rows of a result, with the files and speakers of its clips."""
    return [
        PredictedNumber(
            result.corpus, file, speaker, one.column, float(truth[place]), float(answer[place])
        )
        for file, speaker, truth, answer in zip(
            files, speakers, result.truth, result.predicted, strict=True
        )
        for place, one in enumerate(result.columns)
    ]


def write_numbers(rows: Iterable[PredictedNumber], path: str | Path) -> None:
    """Write a CSV atomically, with a row per tested clip and column, in the units of the column."""
    cells = ((*row[:-2], f"{row.truth:.7g}", f"{row.prediction:.7g}") for row in rows)
    write_csv(Path(path), PredictedNumber._fields, cells)


def read_numbers(path: str | Path) -> list[PredictedNumber]:
    """Read what :func:`write_numbers` wrote.

    Raises:
      ValueError: the file is missing, invalid or empty.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [
                PredictedNumber(
                    row["corpus"],
                    row["file"],
                    row["speaker"],
                    row["column"],
                    float(row["truth"]),
                    float(row["prediction"]),
                )
                for row in csv.DictReader(file)
            ]
        if not rows:
            raise ValueError("it has no rows")
        return rows
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise ValueError(
            f"{path} is no {NUMBERS_FILE} of evaluate.py or baseline.py ({error})"
        ) from error


def numbers_table(results: Sequence[NumbersResult]) -> str:
    """Format results as plain text: a row per column of each domain, and footnotes.

    >>> import numpy as np
    >>> from emojax.evaluation.number_scores import score_numbers
    >>> truth, who = np.arange(200.0)[:, None] % 7, ["b"] * 200
    >>> print(numbers_table([score_numbers("demo", "by b", ["arousal"], truth, truth, who)]))
    numbers  column     n    CCC   95 % interval      r  RMSE  protocol
    demo†    arousal  200  1.000  [1.000, 1.000]  1.000     0  by b
    95 % bootstrap interval of CCC over clips: demo.
    † fewer than five speakers: says little about others.
    """
    rows: list[tuple[str, ...]] = [
        ("numbers", "column", "n", "CCC", "95 % interval", "r", "RMSE", "protocol")
    ]
    for r in results:
        for one in r.columns:
            scores = (
                f"{one.ccc:.3f}",
                _interval(one.ccc_ci95),
                f"{one.pearson:.3f}",
                f"{one.rmse:.3g}",
            )
            rows.append((r.title, one.column, str(r.n), *scores, r.protocol))
        if len(r.columns) > 1:
            mean = f"{r.mean_ccc:.3f}", _interval(r.mean_ccc_ci95)
            rows.append((r.title, "mean", str(r.n), *mean, "", "", ""))
    notes = [
        f"95 % bootstrap interval of CCC over {what}: {', '.join(names)}."
        for what in ("speakers", "clips")
        if (names := [r.corpus for r in results if r.ci_over == what])
    ]
    if any(few_speakers(r.speakers) for r in results):
        notes.append(FEW_SPEAKERS_NOTE)
    return as_text(rows, "<<>>>>><", notes)


def _interval(ends: tuple[float, float]) -> str:
    return f"[{ends[0]:.3f}, {ends[1]:.3f}]"
