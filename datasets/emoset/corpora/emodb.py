"""EMO-DB: German, acted, ten speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}

SPEC = CATALOGUE["emodb"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: speaker, text, emotion's German initial, version."""
    return match_files(
        root, SPEC.layout, r"wav/(?P<speaker>\d\d)[ab]\d\d(?P<label>[WLEAFTN])[a-z]", _LABELS
    )
