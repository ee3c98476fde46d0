"""SAVEE: English, acted, four men."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}

SPEC = CATALOGUE["savee"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per speaker (or the speaker in the name); emotion, sentence."""
    pattern = r"(?:[^/]+/)?(?P<speaker>DC|JE|JK|KL)[/_](?P<label>sa|su|[adfhn])\d\d"
    return match_files(root, SPEC.layout, pattern, _LABELS)
