"""TESS: English, acted, an older and a younger woman."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "pleasant surprise",
    "sad": "sad",
}

SPEC = CATALOGUE["tess"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: speaker (one file lacks the F), word, emotion; in any folders."""
    pattern = rf"(?:[^/]+/)*(?P<speaker>[OY]A)F?_[^/_]+_(?P<label>{'|'.join(_LABELS)})"
    return match_files(root, SPEC.layout, pattern, _LABELS)
