"""tfds builders of speech corpora, and ``prepare``, which makes corpora ready for training."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["CorpusError", "prepare"]

if TYPE_CHECKING:
    from datasets.errors import CorpusError
    from datasets.preparing import prepare


def __getattr__(name: str):
    # Importing the package loads nothing: a Ctrl-C while tfds is imported ends in one line.
    if name in __all__:
        from datasets import preparing

        return getattr(preparing, name)
    raise AttributeError(f"module 'datasets' has no attribute {name!r}")
