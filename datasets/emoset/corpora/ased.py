"""ASED: Amharic, acted, 65 speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "01Neutral": "neutral",
    "02Fearful": "fearful",
    "03Happy": "happy",
    "04Sad": "sad",
    "05Angry": "angry",
}

SPEC = CATALOGUE["ased"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per emotion; emotion, sentence, take, sex, speaker."""
    pattern = rf"(?P<label>{'|'.join(_LABELS)})/[A-Za-z]\d-\d\d-\d\d-0[12]-(?P<speaker>\d\d)"
    return match_files(root, SPEC.layout, pattern, _LABELS)
