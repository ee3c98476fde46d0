"""nEMO: Polish, acted, nine speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

SPEC = CATALOGUE["nemo"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: speaker, emotion, sentence."""
    pattern = rf"samples/(?P<speaker>[A-Z]{{2}}\d)_(?P<label>{'|'.join(SPEC.labels)})_\d+"
    return match_files(root, SPEC.layout, pattern)
