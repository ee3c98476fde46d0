"""IndoWaveSentiment: Indonesian, acted, ten speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "01": "neutral",
    "02": "happy",
    "03": "surprise",
    "04": "disgust",
    "05": "disappointed",
}

SPEC = CATALOGUE["indowave"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per speaker; speaker, emotion, intensity, take."""
    pattern = r"Actor_(?P<speaker>\d\d)/(?P=speaker)-(?P<label>0[1-5])-0[12]-0[1-3]"
    return match_files(root, SPEC.layout, pattern, _LABELS)
