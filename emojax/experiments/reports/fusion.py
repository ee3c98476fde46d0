"""Late fusion of the predictions of several settings for the same clips."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from emojax.evaluation.comparison import Predictions
from emojax.evaluation.score_files import Prediction

AND = "+"
# Half of the last digit in predictions.csv, where smaller probabilities are 0.
_LEAST = 5e-7


def fused_settings(settings: Sequence[str], known: Collection[str]) -> dict[str, list[str]]:
    """Find the settings that fuse others: name → its parts.

    Args:
      settings: names as on the command line; those without a ``+`` are no fusions.
      known: settings that have runs.

    Raises:
      ValueError: a part is not known.

    >>> fused_settings(["shared", "shared+compare"], ["shared", "compare"])
    {'shared+compare': ['shared', 'compare']}
    """
    fused = {name: name.split(AND) for name in settings if AND in name and name not in known}
    for name, parts in fused.items():
        missing = [part for part in parts if part not in known]
        if missing:
            there = ", ".join(known) or "none"
            raise ValueError(
                f"--settings={name} fuses {', '.join(map(repr, missing))}, which is no setting "
                f"beside it; give each part a row of its own, there are: {there}"
            )
    return fused


def fuse(parts: Mapping[str, Predictions], labels: Sequence[str]) -> Predictions:
    """Predict the label with the largest sum of log-probabilities; all parts have equal weights.

    Args:
      parts: setting → its predictions, of the same clips.
      labels: labels of the corpus.

    Returns:
      file → prediction, without probabilities.

    Raises:
      ValueError: a part has no probabilities.

    >>> def sure(best, p):
    ...     return {"a.wav": Prediction("demo", "a.wav", "", "x", best, {"x": p, "y": 1 - p})}
    >>> fuse({"one": sure("x", 0.6), "two": sure("y", 0.1)}, ["x", "y"])["a.wav"].prediction
    'y'
    """
    first = next(iter(parts.values()))
    total = sum(_logs(setting, rows, list(first), labels) for setting, rows in parts.items())
    best = np.argmax(total, axis=1)
    return {
        file: dataclasses.replace(row, prediction=labels[i], probabilities={})
        for (file, row), i in zip(first.items(), best, strict=True)
    }


def _logs(
    setting: str, rows: Predictions, files: Sequence[str], labels: Sequence[str]
) -> np.ndarray:
    """The log-probabilities of a setting, float ``[files, labels]``."""
    probabilities = np.array([_probabilities(setting, rows[file], labels) for file in files])
    return np.log(np.maximum(probabilities, _LEAST))


def _probabilities(setting: str, row: Prediction, labels: Sequence[str]) -> list[float]:
    given = row.probabilities
    if isinstance(given, Mapping):
        found = [given.get(label, 0) for label in labels]
        numbers = all(isinstance(one, (int, float)) and 0 <= one <= 1 for one in found)
        if numbers and abs(sum(found) - 1) < 0.01:
            return found
    raise ValueError(
        f"{setting}: {row.file} of corpus {row.corpus} has no probabilities in predictions.csv, "
        f"so {setting} cannot be fused; an older emojax scored it: score it again (where pooled "
        "ran it, remove its folder in OUT/runs and give the same command)"
    )
