"""EmotiW 2014 (AFEW 4.0): English, clips of films."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_SPLITS = {"Train": "train", "Val": "test"}

SPEC = CATALOGUE["emotiw2014"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per part, in it one per emotion; speakers are unknown."""
    pattern = rf"(?:{'|'.join(_SPLITS)})/(?P<label>{'|'.join(SPEC.labels)})/[^/]+"
    for source in match_files(root, SPEC.layout, pattern):
        if isinstance(source, Source):
            source = dataclasses.replace(source, split=_SPLITS[source.file.split("/")[0]])
        yield source
