"""Whether a setting is right more often than another: the + and − of the paper's Table 4."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping

import numpy as np

P_BELOW = 0.05


@dataclasses.dataclass(frozen=True)
class Test:
    """McNemar's test on one corpus.

    ``p`` is its mid-p, ``holm_p`` that adjusted for the number of corpora, ``mark`` is + or − or empty.
    """

    p: float
    holm_p: float
    mark: str


def corrected(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, Test]:
    """Corpus → test; nothing where this EmoJAX has no statistics.

    Args:
      pairs: corpus → which clips the first and the second system got right, bool[N] each.
    """
    try:
        statistics = importlib.import_module("emojax.evaluation.statistics")
    except ImportError:
        return {}
    if not pairs:
        return {}
    found = {name: statistics.mcnemar(*pair) for name, pair in pairs.items()}
    adjusted = statistics.holm([test.mid_p for test in found.values()])
    return {
        name: Test(test.mid_p, float(p), _mark(test.only_b - test.only_a, p))
        for (name, test), p in zip(found.items(), adjusted, strict=True)
    }


def _mark(gained: int, p: float) -> str:
    if p >= P_BELOW:
        return ""
    return "+" if gained > 0 else "−"
