"""Base of the estimators: the model is loaded at its first use, and not pickled."""

from __future__ import annotations

import abc
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from emojax.inference.api import Model


class ByReference(BaseEstimator, abc.ABC):
    """Base of the estimators; a pickle or a copy can load the model, but does not have it.

    Attributes:
      fingerprint_: digest of the model, to detect another one.
    """

    fingerprint_: str
    _model: Model

    @abc.abstractmethod
    def _load(self) -> Model:
        """Load the model."""

    def _fitted(self, model: Model) -> Self:
        """Set the model of a fit."""
        self.fingerprint_, self._model = model.fingerprint(), model
        return self

    def _loaded(self) -> Model:
        """Return the model of the fit; a copy or a pickle loads it at its first use.

        Raises:
          ValueError: the loaded model is not the model of the fit.
        """
        check_is_fitted(self)
        if not hasattr(self, "_model"):
            model = self._load()
            if model.fingerprint() != self.fingerprint_:
                raise ValueError(
                    f"the trained model of {self!r} is another one than it was fitted with: give "
                    "back the one from then, or fit again"
                )
            self._model = model
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        return {name: own for name, own in super().__getstate__().items() if name != "_model"}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = tags.input_tags.string = True
        return tags
