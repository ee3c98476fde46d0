"""EMOVO: Italian, acted, six speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.spec import CorpusSpec

_LABELS = {
    "dis": "disgust",
    "gio": "joy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}

SPEC = CorpusSpec(
    name="emovo",
    labels=tuple(_LABELS.values()),
    language="Italian",
    style="acted",
    licence="free for research",
    source="http://voice.fub.it/EMOVO",
    citation="Costantini et al.: EMOVO Corpus: an Italian Emotional Speech Database. LREC 2014",
    counts=dict.fromkeys(_LABELS.values(), 84),
    counts_per_speaker=dict.fromkeys(_LABELS.values(), 14),
    speakers=6,
    folds=(("f1",), ("f2",), ("f3",), ("m1",), ("m2",), ("m3",)),
)
LAYOUT = "f1/dis-f1-b1.wav"


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per speaker; emotion's Italian start, speaker, sentence."""
    pattern = r"(?P<speaker>[fm][123])/(?P<label>dis|gio|neu|pau|rab|sor|tri)-(?P=speaker)-[a-z]\d"
    return match_files(root, LAYOUT, pattern, _LABELS)
