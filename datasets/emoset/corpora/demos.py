"""DEMoS: Italian, induced, 68 speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "col": "guilt",
    "dis": "disgust",
    "gio": "happiness",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}

SPEC = CATALOGUE["demos"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: prototypical (PR) or not (NP), sex, speaker, emotion, three characters."""
    pattern = rf"(?:[^/]+/)*[^/]+_(?P<speaker>\d\d)_(?P<label>{'|'.join(_LABELS)})[^/_]{{3}}"
    return match_files(root, SPEC.layout, pattern, _LABELS)
