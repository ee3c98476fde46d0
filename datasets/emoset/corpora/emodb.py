"""EMO-DB: German, acted, ten speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.spec import CorpusSpec

_LABELS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}

SPEC = CorpusSpec(
    name="emodb",
    labels=tuple(_LABELS.values()),
    language="German",
    style="acted",
    licence="free for research",
    source="http://emodb.bilderbar.info",
    citation="Burkhardt et al.: A database of German emotional speech. Interspeech 2005",
    counts={
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "sadness": 62,
        "neutral": 79,
    },
    speakers=10,
    parts={"train": ("03", "08", "09", "10", "11", "13"), "test": ("12", "14", "15", "16")},
    notes="All 535 clips; the paper's listening test keeps 494 of them (erkennung.txt).",
)
LAYOUT = "wav/03a01Fa.wav"


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings in publisher's layout: speaker, text, emotion's German initial, version."""
    return match_files(root, LAYOUT, r"wav/(?P<speaker>\d\d)[ab]\d\d(?P<label>[WLEAFTN])[a-z]", _LABELS)
