"""Scores of a run's domains of labels and of numbers, and their files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from emojax.evaluation.figures import confusion_figure
from emojax.evaluation.metrics import CorpusResult
from emojax.evaluation.number_files import (
    NUMBERS_FILE,
    PredictedNumber,
    numbers_table,
    write_numbers,
)
from emojax.evaluation.number_scores import NumbersResult
from emojax.evaluation.scatter import scatter_figure
from emojax.evaluation.score_files import Prediction, table, write_predictions, write_results

Result = CorpusResult | NumbersResult
# A result and the rows of its clips.
Scored = tuple[CorpusResult, list[Prediction]] | tuple[NumbersResult, list[PredictedNumber]]


def devel_score(result: Result) -> float:
    """Return the score that chooses a state: UAR, or mean concordance for numbers."""
    return result.mean_ccc if isinstance(result, NumbersResult) else result.uar


def write_scores(done: Sequence[Scored], folder: Path, provenance: Mapping) -> list[Result]:
    """Write the files of an evaluation into an existing folder, and return the results.

    ``results.json`` has all scores. Labels have ``predictions.csv`` and ``confusion.png``, numbers
    ``numbers.csv`` and ``scatter.png``.
    """
    results = [result for result, _ in done]
    classes = [result for result in results if isinstance(result, CorpusResult)]
    numbers = [result for result in results if isinstance(result, NumbersResult)]
    rows = [row for _, own in done for row in own]
    if classes:
        predictions = (row for row in rows if isinstance(row, Prediction))
        write_predictions(predictions, folder / "predictions.csv")
        confusion_figure(classes, folder / "confusion.png")
    if numbers:
        answers = (row for row in rows if isinstance(row, PredictedNumber))
        write_numbers(answers, folder / NUMBERS_FILE)
        scatter_figure(numbers, folder / "scatter.png")
    write_results(classes, folder, provenance, {one.corpus: one.to_json() for one in numbers})
    return results


def score_tables(results: Sequence[Result]) -> str:
    """Format results as plain text: a table of those with labels, and one of those with numbers."""
    classes = [result for result in results if isinstance(result, CorpusResult)]
    numbers = [result for result in results if isinstance(result, NumbersResult)]
    texts = [table(classes) if classes else "", numbers_table(numbers) if numbers else ""]
    return "\n\n".join(filter(None, texts))
