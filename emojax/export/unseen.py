"""Answers of a recipe's network to corpora that it never saw, for the model card."""

from __future__ import annotations

import dataclasses
import glob
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from emojax.evaluation.calibration_error import expected_calibration_error
from emojax.evaluation.score_files import Prediction, read_predictions
from emojax.files import printable
from emojax.inference.calibration import tempered
from emojax.training.calibrating import fit_temperature

_AGAIN = "run the experiment again"


@dataclasses.dataclass(frozen=True)
class Unseen:
    """Scores of networks on corpora that they never saw.

    Attributes:
      scores: corpus → its scores; ``ece`` is the calibration error of the network's own
        probabilities, ``ece_calibrated`` with the temperature of the other corpora.
      temperature: temperature for such answers, the geometric mean of the fitted temperatures of
        the corpora; 1 without any.
    """

    scores: dict[str, dict] = dataclasses.field(default_factory=dict)
    temperature: float = 1.0


def read_unseen(pattern: str) -> Unseen:
    """Read what ``python -m emojax.experiments zero_shot`` wrote.

    Args:
      pattern: folders of its answers, such as ``OUT/runs/zero_shot/*/*/trained``.

    Raises:
      ValueError: there are no such folders, or their files are not what the experiment writes.
    """
    folders = [Path(path) for path in sorted(glob.glob(os.path.expanduser(pattern)))]
    if not folders:
        raise ValueError(f"--unseen={pattern}: nothing there; give OUT/runs/zero_shot/*/*/trained")
    scores = {folder: _scores(folder) for folder in folders}
    answers = {folder: dict(_answers(folder / "predictions.csv")) for folder in folders}
    best = {
        folder: [fit_temperature(*own) for own in answers[folder].values()] for folder in folders
    }
    for folder in folders:
        others = [value for one, values in best.items() if one != folder for value in values]
        for name, own in answers[folder].items():
            scores[folder].get(name, {}).update(_errors(*own, others))
    shown = {name: own for some in scores.values() for name, own in some.items()}
    return Unseen(shown, _mean_temperature([value for values in best.values() for value in values]))


def _scores(folder: Path) -> dict[str, dict]:
    path = folder / "results.json"
    results = read_json(path)
    check_scores(results, path, _AGAIN)
    return results["corpora"]


def _errors(
    shares: np.ndarray, truth: np.ndarray, temperatures: Sequence[float]
) -> dict[str, float]:
    """Return the calibration error of probabilities, and with the mean of some temperatures."""
    errors = {"ece": expected_calibration_error(shares, truth)}
    if temperatures:
        calibrated = tempered(shares, _mean_temperature(temperatures))
        errors["ece_calibrated"] = expected_calibration_error(calibrated, truth)
    return errors


def _mean_temperature(temperatures: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(temperatures))))


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


def _answers(path: Path) -> Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]:
    """Yield each corpus of a file, with its probabilities [N, K] and true labels [N]."""
    rows: dict[str, list[Prediction]] = {}
    for row in read_predictions(path):
        rows.setdefault(row.corpus, []).append(row)
    for name, own in rows.items():
        try:
            words = list(own[0].probabilities)
            shares = [[float(row.probabilities[word]) for word in words] for row in own]
            truth = [words.index(row.label) for row in own]
        except (LookupError, TypeError, ValueError):
            raise ValueError(
                printable(f"{path}: a clip of {name} lacks probabilities; {_AGAIN}")
            ) from None
        yield name, (np.array(shares), np.array(truth))
