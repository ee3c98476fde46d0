"""CaFE: Canadian French, acted, twelve speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "C": "anger",
    "D": "disgust",
    "J": "happiness",
    "N": "neutral",
    "P": "fear",
    "S": "surprise",
    "T": "sadness",
}

SPEC = CATALOGUE["cafe"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per emotion and intensity; speaker, initial, intensity, sentence."""
    pattern = r"(?:[^/]+/)+(?P<speaker>\d\d)-(?P<label>[CDJNPST])-[12]-[1-6]"
    return match_files(root, SPEC.layout, pattern, _LABELS)
