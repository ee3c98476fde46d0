"""Recordings in the containers of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from emojax.inference.recordings import Recording, is_one_recording


def as_recordings(X: Any) -> list[Recording]:
    """Return the recordings of X, one for each sample.

    Args:
      X: list, or a column: a pandas Series, a DataFrame of one column, an array ``[N]`` or
        ``[N, 1]``.

    Raises:
      ValueError: there are several columns, or X is a single recording.

    >>> as_recordings(np.array([["a.wav"], ["b.wav"]])) == ["a.wav", "b.wav"]
    True
    """
    if is_one_recording(X):
        raise ValueError(
            f"X is one {type(X).__name__}; give a list of paths or of pairs (samples, "
            "sample_rate_hz), or one column of paths"
        )
    if hasattr(X, "__array__"):
        X = np.asarray(X)
        if X.ndim != 1 and X.shape[1:] != (1,):
            raise ValueError(f"X has the shape {list(X.shape)}; give one column of paths")
        X = X.ravel()
    return list(X)
