"""Answers of a recipe's network to corpora that it never saw, for the model card."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from emojax.evaluation.score_files import Prediction, read_predictions
from emojax.files import printable
from emojax.training.calibrating import fit_temperature


def read_unseen(pattern: str) -> tuple[dict[str, dict], float]:
    """Read what ``python -m emojax.experiments zero_shot`` wrote.

    Args:
      pattern: folders of its answers, such as ``OUT/runs/zero_shot/*/*/trained``.

    Returns:
      Corpus → its scores, and the temperature for such answers: the geometric mean over the corpora
      of those that make the right labels likeliest.

    Raises:
      ValueError: there are no such folders, or their files are not what the experiment writes.
    """
    folders = [Path(path) for path in sorted(glob.glob(pattern))]
    if not folders:
        raise ValueError(f"--unseen={pattern}: nothing there; give OUT/runs/zero_shot/*/*/trained")
    scores: dict[str, dict] = {}
    temperatures: list[float] = []
    for folder in folders:
        path = folder / "results.json"
        results = read_json(path)
        check_scores(results, path, "run the experiment again")
        scores |= results["corpora"]
        temperatures += _temperatures(folder / "predictions.csv")
    return scores, float(np.exp(np.mean(np.log(temperatures))))


def check_scores(results: Mapping, path: Path, mend: str) -> None:
    """Raise a ValueError for results without the scores that a card shows."""
    try:
        for scores in results["corpora"].values():
            low, high = scores["uar_ci95"]
            numbers = [scores["uar"], scores["chance"], low, high, scores["n"], scores["speakers"]]
            for own in scores.get("by_sex", {}).values():
                numbers += [own["uar"], *own["uar_ci95"], own["n"], own["speakers"]]
            if not all(isinstance(number, (int, float, type(None))) for number in numbers):
                raise TypeError("a score is no number")
            if not isinstance(scores["protocol"], str):
                raise TypeError("a protocol is no text")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            printable(f"{path} has no scores of evaluate.py ({error!r}); {mend}")
        ) from None


def read_json(path: Path) -> dict:
    """Read a file that has a JSON object; empty if there is no such file."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(printable(f"{path} cannot be read ({error}); make it again")) from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} is no JSON object; make it again")
    return content


def _temperatures(path: Path) -> Iterator[float]:
    rows: dict[str, list[Prediction]] = {}
    for row in read_predictions(path):
        rows.setdefault(row.corpus, []).append(row)
    for own in rows.values():
        words = list(own[0].probabilities)
        shares = np.array([[row.probabilities[word] for word in words] for row in own])
        yield fit_temperature(shares, np.array([words.index(row.label) for row in own]))
