"""EMOVO: Italian, acted, six speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "dis": "disgust",
    "gio": "joy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}

SPEC = CATALOGUE["emovo"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per speaker; emotion's Italian start, speaker, sentence."""
    pattern = r"(?P<speaker>[fm][123])/(?P<label>dis|gio|neu|pau|rab|sor|tri)-(?P=speaker)-[a-z]\d"
    return match_files(root, SPEC.layout, pattern, _LABELS)
