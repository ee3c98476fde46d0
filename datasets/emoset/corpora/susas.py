"""SUSAS: English, seven speakers under actual stress: a tracking task and a roller coaster."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "hist": "high stress",
    "medst": "medium stress",
    "neutral": "neutral",
    "scream": "scream",
}

SPEC = CATALOGUE["susas"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: speaker, condition, word; without free fall, helicopter, simulated stress."""
    roller = r"actual/roller/(?P<speaker>[^/]+)/(?P<label>[^/]+)/[^/]+"
    pattern = rf"(?:speech/)?(?:{roller}|(?:actual/helicopt|sim)/.+)"
    return match_files(root, SPEC.layout, pattern, _LABELS)
