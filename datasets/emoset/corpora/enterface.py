"""eNTERFACE'05: English, induced, speakers of many nations."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

SPEC = CATALOGUE["enterface"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per subject, emotion and sentence; the file names vary."""
    pattern = (
        rf"subject[ _-]?(?P<speaker>\d+)/(?P<label>{'|'.join(SPEC.labels)})/sentence[ _-]?\d/[^/]+"
    )
    return match_files(root, SPEC.layout, pattern)
