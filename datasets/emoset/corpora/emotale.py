"""EmoTale: Danish and English, acted, 18 speakers, most of whom speak both."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "A": "anger",
    "B": "boredom",
    "H": "happiness",
    "N": "neutral",
    "S": "sadness",
}

SPEC = CATALOGUE["emotale"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: language, speaker (the same in both languages), emotion, sentence."""
    pattern = r"wav/(?:DK|EN)_(?P<speaker>\d{3})_(?P<label>[ABHNS])_[1-5]"
    return match_files(root, SPEC.layout, pattern, _LABELS)
