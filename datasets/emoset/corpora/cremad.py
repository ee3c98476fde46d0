"""CREMA-D: English, acted, 91 speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}

SPEC = CATALOGUE["cremad"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: speaker, sentence, emotion, intensity."""
    pattern = (
        r"AudioWAV/(?P<speaker>1\d{3})_[A-Z]{3}_"
        rf"(?P<label>{'|'.join(_LABELS)})_(?:XX?|LO|MD|HI)"
    )
    return match_files(root, SPEC.layout, pattern, _LABELS)
