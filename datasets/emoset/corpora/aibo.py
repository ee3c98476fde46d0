"""FAU Aibo: German, natural, 51 children of two schools."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files, read_text
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "A": "anger",
    "E": "emphatic",
    "N": "neutral",
    "P": "positive",
    "R": "rest",
}
_SPLITS = {"Ohm": "train", "Mont": "test"}

SPEC = CATALOGUE["aibo"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: school, child, turn, chunk; labels and split are of the 2009 challenge."""
    text = read_text(root, "labels/IS2009EmotionChallenge/chunk_labels_5cl_corpus.txt")
    labels = {
        chunk: _LABELS[code]
        for chunk, code in re.findall(r"^(\w+)\s+([AENPR])\b", text, re.MULTILINE)
    }
    pattern = r"wav/(?P<label>(?P<speaker>(?:Ohm|Mont)_\d+)_\d+_\d+)"
    for source in match_files(root, SPEC.layout, pattern, labels):
        if isinstance(source, Source):
            source = dataclasses.replace(source, split=_SPLITS[source.speaker.split("_")[0]])
        yield source
