"""ESD: Mandarin and English, acted, ten speakers each."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

SPEC = CATALOGUE["esd"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per speaker and emotion (in one edition, part); speaker, number."""
    pattern = (
        rf"(?:[^/]+/)*(?P<speaker>\d{{4}})/(?P<label>{'|'.join(SPEC.labels)})/"
        r"(?:[a-z]+/)?(?P=speaker)_\d+"
    )
    return match_files(root, SPEC.layout, pattern)
