"""EmoFilm: films in English, Italian and Spanish."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "ans": "fear",
    "dis": "contempt",
    "gio": "happiness",
    "rab": "anger",
    "tri": "sadness",
}

SPEC = CATALOGUE["emofilm"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: sex, emotion's Italian start, number, language; speakers are unknown."""
    pattern = rf"(?:[^/]+/)*[fm]_(?P<label>{'|'.join(_LABELS)})[^/]*(?:en|es|it)"
    return match_files(root, SPEC.layout, pattern, _LABELS)
