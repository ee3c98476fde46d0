"""Answer for one recording: probabilities of labels, or numbers, and a warning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from emojax.corpora.affect import LEVELS, level, unknown


class Answer(dict[str, float]):
    """Label → probability for one recording, with a warning if the answer may be wrong.

    Attributes:
      warning: one sentence on how the recording differs from the training recordings; empty if it
        does not, or if the run has no calibration.
      embedding: float32 ``[D]``, as :meth:`emojax.Model.embed` returns it; None if the answer does
        not come from a network.

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


class Numbers(Answer):
    """Column → number for one recording, in the units of the training table.

    It has a warning and an embedding, as an :class:`Answer` has. The properties ``label``,
    ``arousal`` and ``valence`` raise an AttributeError, because there are no probabilities.

    >>> numbers = Numbers({"arousal": 3.5, "valence": 1.5})
    >>> numbers["arousal"], numbers.to_json()
    (3.5, {'numbers': {'arousal': 3.5, 'valence': 1.5}, 'warning': ''})
    >>> numbers.label
    Traceback (most recent call last):
    AttributeError: these are numbers (arousal, valence), without a label; numbers["arousal"] is one
      of them
    """

    def to_json(self) -> dict[str, Any]:
        """Return the numbers and the warning, as JSON types."""
        return {"numbers": dict(self), "warning": self.warning}

    @property
    def label(self) -> NoReturn:
        """Raise an AttributeError, because numbers have no label."""
        self._refuse("a label")

    @property
    def arousal(self) -> NoReturn:
        """Raise an AttributeError, because there are no labels."""
        self._refuse("an arousal of labels")

    @property
    def valence(self) -> NoReturn:
        """Raise an AttributeError, because there are no labels."""
        self._refuse("a valence of labels")

    def _refuse(self, what: str) -> NoReturn:
        raise AttributeError(
            f"these are numbers ({', '.join(self)}), without {what}; "
            f'numbers["{next(iter(self), "COLUMN")}"] is one of them'
        )
