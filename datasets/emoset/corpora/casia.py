"""CASIA: Mandarin, acted, four speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

SPEC = CATALOGUE["casia"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per speaker, in it one per emotion, in it one file per sentence."""
    pattern = rf"(?P<speaker>[^/]+)/(?P<label>{'|'.join(SPEC.labels)})/\d+"
    return match_files(root, SPEC.layout, pattern)
