"""EmotionTTS: Korean, acted, 15 speakers."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

SPEC = CATALOGUE["emotiontts"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per speaker; speaker, number (a hundred for each emotion)."""
    number = r"(?P<label>00(?:[0-3]\d\d|400))(?<!00000)"
    pattern = (
        rf"(?:emotional|plain)-to-emotional/(?P<speaker>(?:ne|em)[a-z])/wav/(?P=speaker){number}"
    )
    for source in match_files(root, SPEC.layout, pattern):
        if isinstance(source, Source):
            source = dataclasses.replace(source, label=SPEC.labels[(int(source.label) - 1) // 100])
        yield source
