"""Answer for one recording: the probability of each label, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from emojax.corpora.affect import LEVELS, level, unknown


class Answer(dict[str, float]):
    """Label → probability of one recording, and whether to trust it.

    Attributes:
      warning: one sentence on why the recording is unlike those that the model learnt from; empty
        if it is not, or if the run has no calibration.
      embedding: float32 ``[D]``, as :meth:`emojax.Model.embed` returns it; None of an
        answer that no network gave.

    >>> answer = Answer({"anger": 0.7, "happiness": 0.1, "neutral": 0.2})
    >>> answer.label, round(answer.arousal, 3), round(answer.valence, 3), answer.warning
    ('anger', 0.8, -0.6, '')
    """

    def __init__(
        self,
        probabilities: Mapping[str, float] | Iterable[tuple[str, float]],
        warning: str = "",
        embedding: np.ndarray | None = None,
    ) -> None:
        super().__init__(probabilities)
        self.warning, self.embedding = warning, embedding

    def to_json(self) -> dict[str, Any]:
        """Return label, probabilities, arousal, valence and warning, as JSON types.

        >>> Answer({"anger": 0.7, "odd": 0.3}).to_json()["label"]
        'anger'
        """
        return {
            "label": self.label,
            "probabilities": dict(self),
            "arousal": self.arousal,
            "valence": self.valence,
            "warning": self.warning,
        }

    @property
    def label(self) -> str:
        """The most probable label."""
        return max(self, key=self.__getitem__)

    @property
    def arousal(self) -> float | None:
        """Probability of high arousal; None if a label has no known arousal."""
        return self._expected("arousal", (0.0, 1.0))

    @property
    def valence(self) -> float | None:
        """Expected valence, from -1 (negative) to 1; None if a label has no known valence."""
        return self._expected("valence", (-1.0, 0.0, 1.0))

    def _expected(self, dimension: str, values: Sequence[float]) -> float | None:
        if unknown(self):
            return None
        value = dict(zip(LEVELS[dimension], values, strict=True))
        return sum(share * value[level(dimension, label)] for label, share in self.items())
