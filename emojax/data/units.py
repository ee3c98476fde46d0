"""Units of a domain's numbers: numbers are scaled for training and restored in answers."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


@dataclasses.dataclass(frozen=True)
class Units:
    """Mean and standard deviation of each of D numbers over the training part.

    >>> units = Units((3.0,), (0.5,))
    >>> units.scaled(np.array([[4.0]])).tolist(), units.restored(np.array([[2.0]])).tolist()
    ([[2.0]], [[4.0]])
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of(cls, values: np.ndarray) -> Units:
        """Return the units of float64 ``[N, D]``, to nine digits, equal on all machines."""
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        return cls(tuple(map(_rounded, mean)), tuple(map(_rounded, deviation)))

    @classmethod
    def from_json(cls, content: Any, numbers: int) -> Units:
        """Return the units that :meth:`to_json` wrote for D numbers; the content is not trusted.

        Raises:
          ValueError: a number is missing, or is not allowed.
        """
        units = content if isinstance(content, Mapping) else {}
        found = [units.get(field.name) for field in dataclasses.fields(cls)]
        lists = [own for own in found if isinstance(own, list) and len(own) == numbers]
        if len(lists) < len(found):
            raise ValueError(f"no mean and deviation of {numbers} numbers")
        if not all(isinstance(one, float) and math.isfinite(one) for own in lists for one in own):
            raise ValueError("a mean or deviation is no number")
        if min(lists[1]) <= 0:
            raise ValueError("a deviation is not greater than 0")
        mean, deviation = map(tuple, lists)
        return cls(mean, deviation)

    def to_json(self) -> dict[str, list[float]]:
        """Return plain JSON types."""
        return {"mean": list(self.mean), "deviation": list(self.deviation)}

    def scaled(self, values: np.ndarray) -> np.ndarray:
        """Return numbers ``[N, D]`` with mean 0 and deviation 1 over the training part."""
        return (values - np.array(self.mean)) / np.array(self.deviation)

    def restored(self, values: np.ndarray) -> np.ndarray:
        """Return scaled numbers ``[N, D]`` in their own units, the inverse of :meth:`scaled`."""
        return values * np.array(self.deviation) + np.array(self.mean)


def _rounded(value: float) -> float:
    return float(f"{value:.9g}")
