"""BAVED: seven Arabic words, each said with low, normal and high emotional intensity."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {"0": "low", "1": "normal", "2": "high"}

SPEC = CATALOGUE["baved"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per word; speaker, sex, age, word, intensity, record."""
    return match_files(
        root, SPEC.layout, r"[0-6]/(?P<speaker>\d+)-[fm]-\d+-[0-6]-(?P<label>[012])-\d+", _LABELS
    )
