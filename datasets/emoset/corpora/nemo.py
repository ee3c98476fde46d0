"""nEMO: Polish, acted, nine speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.spec import CorpusSpec

_COUNTS = {
    "anger": 749,
    "fear": 736,
    "happiness": 749,
    "neutral": 809,
    "sadness": 769,
    "surprised": 669,
}

SPEC = CorpusSpec(
    name="nemo",
    labels=tuple(_COUNTS),
    language="Polish",
    style="acted",
    licence="CC BY-NC-SA 4.0",
    source="https://huggingface.co/datasets/amu-cai/nEMO",
    citation="Christop: nEMO: Dataset of Emotional Speech in Polish. LREC-COLING 2024",
    counts=_COUNTS,
    speakers=9,
)
LAYOUT = "samples/EB0_anger_1.wav"


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: speaker, emotion, sentence."""
    pattern = rf"samples/(?P<speaker>[A-Z]{{2}}\d)_(?P<label>{'|'.join(_COUNTS)})_\d+"
    return match_files(root, LAYOUT, pattern, {label: label for label in _COUNTS})
