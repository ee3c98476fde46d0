"""Calibration of a corpus's answers, and a description of its training recordings."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emojax.data.batches import INT16_SCALE
from emojax.files import printable, replacing

# File in a run's folder with the calibration of each of its corpora.
CALIBRATION_FILE = "calibration.json"
# Below this share of the shortest training recording, a recording is too short.
MUCH_SHORTER = 0.5
# With a gain this much lower than in training, 16-bit speech is near its rounding noise.
MUCH_QUIETER_DB = 20.0
_MOST_NUMBERS = 2**20


@dataclasses.dataclass(frozen=True, eq=False)
class Calibration:
    """Temperature of a corpus's answers, and a description of its training recordings.

    Attributes:
      temperature: T; an answer's probabilities p become p^(1/T), divided by their sum.
      shortest_s: length of the shortest recordings, in s.
      quietest_db: level of the quietest recordings, in dB of full scale.
      mean: ``[D]``, mean embedding.
      axes: ``[R, D]``, the principal axes of the embeddings, of length 1.
      variances: ``[R]``, variance along each axis.
      rest_variance: variance along every direction orthogonal to the axes.
      farthest: largest distance of an embedding without a warning.
      devel_to_train: ratio of the distances of other speakers to those of training speakers.
    """

    temperature: float
    shortest_s: float
    quietest_db: float
    mean: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    rest_variance: float
    farthest: float
    devel_to_train: float

    def distance(self, embeddings: np.ndarray) -> np.ndarray:
        """Compute the Mahalanobis distance ``[N]`` of embeddings ``[N, D]`` from the mean.

        The covariance is that of probabilistic principal component analysis.
        """
        offset = embeddings.astype(np.float64) - self.mean
        along = offset @ self.axes.T
        across = np.maximum((offset**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        return np.sqrt((along**2 / self.variances).sum(axis=1) + across / self.rest_variance)

    def warning(self, embedding: np.ndarray, duration_s: float, level_db: float) -> str:
        """Return one sentence on how a recording differs from those of training; may be empty.

        A long recording has the mean embedding of its windows. Its distance is never larger than
        the mean distance of the windows.
        """
        if duration_s < MUCH_SHORTER * self.shortest_s:
            return (
                f"too short: {duration_s:.2f} s, where the recordings that the model learnt from "
                f"have {self.shortest_s:.2f} s or more"
            )
        if level_db < self.quietest_db - MUCH_QUIETER_DB:
            return (
                f"nearly silent: {level_db:.0f} dB of full scale, where the recordings that the "
                f"model learnt from have {self.quietest_db:.0f} dB or more"
            )
        distance = float(self.distance(embedding[None])[0])
        if not distance <= self.farthest:
            return (
                "unlike the recordings that the model learnt from, as noise, music or another "
                f"channel would be: distance {distance:.1f}, where up to {self.farthest:.1f} is "
                "usual"
            )
        return ""

    def to_json(self) -> dict:
        """Return plain JSON types; numbers have six digits."""
        return {name: _rounded(value) for name, value in vars(self).items()}

    @classmethod
    def from_json(cls, content: Mapping) -> Calibration:
        """Return the calibration that :meth:`to_json` wrote; the content is not trusted.

        Raises:
          ValueError: a number is missing, or is not allowed.
        """
        shapes = {"mean": 1, "axes": 2, "variances": 1}
        arrays = {
            field.name: _numbers(content, field.name, shapes.get(field.name, 0))
            for field in dataclasses.fields(cls)
        }
        if arrays["axes"].shape != (*arrays["variances"].shape, *arrays["mean"].shape):
            raise ValueError("axes, variances and mean do not belong together")
        for name in ("temperature", "variances", "rest_variance", "farthest"):
            if not (arrays[name] > 0).all():
                raise ValueError(f"{name} is not greater than 0")
        values: dict[str, Any] = {
            name: own if own.ndim else float(own) for name, own in arrays.items()
        }
        return cls(**values)


def tempered(probabilities: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return p^(1/T) divided by its sum over the last axis, float64; the greatest stays greatest.

    For one window it is the softmax of the logits divided by T.

    >>> tempered(np.array([0.8, 0.2]), 2.0).round(3).tolist()
    [0.667, 0.333]
    """
    shares = np.maximum(probabilities, np.finfo(np.float32).tiny, dtype=np.float64)
    powers = (shares / shares.max(axis=-1, keepdims=True)) ** (1 / temperature)
    return powers / powers.sum(axis=-1, keepdims=True)


def level_db(clip: np.ndarray) -> float:
    """Return the root mean square of int16 or float samples, in dB of full scale; at least -120.

    >>> round(level_db(np.array([0.1, -0.1], np.float32))), level_db(np.zeros(9, np.int16))
    (-20, -120.0)
    """
    scale = INT16_SCALE if clip.dtype == np.int16 else 1.0
    samples = np.asarray(clip, np.float32)
    power = float(np.dot(samples, samples)) / len(samples) / scale**2
    return float(10 * np.log10(max(power, 1e-12)))


def read_calibrations(
    folder: str | os.PathLike, manifest: Mapping | None = None
) -> dict[str, Calibration]:
    """Read the calibration of each corpus of a trained model; empty if it has none.

    Args:
      folder: folder of the model.
      manifest: its manifest; the manifest of a published model has the calibrations.

    Raises:
      ValueError: the calibrations are damaged.
    """
    path = Path(folder) / CALIBRATION_FILE
    try:
        if manifest and "calibration" in manifest:
            content = manifest["calibration"]
        elif path.exists():
            content = json.loads(path.read_text("utf-8"))
        else:
            return {}
        return {name: Calibration.from_json(own) for name, own in content.items()}
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"the calibration of {folder} is damaged ({printable(str(error))}); copy it anew, or "
            f"remove {CALIBRATION_FILE}: answers are then not calibrated, and no recording is said "
            "to be unlike those of training"
        ) from error


def write_calibrations(workdir: Path, calibrations: Mapping[str, Calibration]) -> None:
    """Write what :func:`read_calibrations` reads, atomically."""
    content = {name: calibration.to_json() for name, calibration in calibrations.items()}
    with replacing(workdir / CALIBRATION_FILE) as draft:
        draft.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")


def _rounded(value: float | np.ndarray) -> float | list:
    if isinstance(value, np.ndarray):
        return [_rounded(own) for own in value]
    return float(f"{value:.6g}")


def _numbers(content: Mapping, name: str, dimensions: int) -> np.ndarray:
    """Return an entry as finite float64 numbers of so many dimensions."""
    if not isinstance(content, Mapping) or name not in content:
        raise ValueError(f"{name} is missing")
    try:
        numbers = np.array(content[name], np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} has no numbers") from None
    if numbers.ndim != dimensions or numbers.size > _MOST_NUMBERS or not np.isfinite(numbers).all():
        raise ValueError(f"{name} has {numbers.ndim} dimensions, or numbers that are not finite")
    return numbers
