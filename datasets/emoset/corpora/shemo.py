"""ShEMO: Persian, radio plays, 87 speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "A": "anger",
    "F": "fear",
    "H": "happiness",
    "N": "neutral",
    "S": "sadness",
    "W": "surprise",
}

SPEC = CATALOGUE["shemo"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: speaker, emotion, number; in any folders."""
    pattern = r"(?:[^/]+/)*(?P<speaker>[FM]\d\d)(?P<label>[AFHNSW])\d+"
    return match_files(root, SPEC.layout, pattern, _LABELS)
