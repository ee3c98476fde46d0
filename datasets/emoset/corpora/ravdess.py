"""RAVDESS, the spoken part: North American English, acted, 24 speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}

SPEC = CATALOGUE["ravdess"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: audio only, speech, emotion, intensity, sentence, repetition, actor."""
    pattern = r"Actor_(?P<speaker>\d\d)/03-01-(?P<label>0[1-8])-0[12]-0[12]-0[12]-(?P=speaker)"
    return match_files(root, SPEC.layout, pattern, _LABELS)
