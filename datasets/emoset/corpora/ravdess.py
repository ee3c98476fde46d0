"""RAVDESS, the spoken part: North American English, acted, 24 speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.spec import CorpusSpec

_LABELS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}

SPEC = CorpusSpec(
    name="ravdess",
    labels=tuple(_LABELS.values()),
    language="English",
    style="acted",
    licence="CC BY-NC-SA 4.0",
    source="https://zenodo.org/records/1188976",
    citation="Livingstone and Russo: The Ryerson Audio-Visual Database of Emotional Speech and Song. "
    "PLoS ONE 13(5), 2018",
    counts={**dict.fromkeys(_LABELS.values(), 192), "neutral": 96},
    counts_per_speaker={**dict.fromkeys(_LABELS.values(), 8), "neutral": 4},
    speakers=24,
    parts={
        "train": tuple(f"{actor:02}" for actor in (*range(1, 16), 18)),
        "devel": ("16", "17", "19", "20"),
        "test": ("21", "22", "23", "24"),
    },
    folds=(
        ("01", "11", "20", "21"),
        ("04", "10", "12", "14"),
        ("08", "09", "19", "23"),
        ("03", "05", "07", "24"),
        ("02", "15", "16", "18"),
        ("06", "13", "17", "22"),
    ),
    notes="Two sentences, spoken by every actor in every emotion.",
)
LAYOUT = "Actor_01/03-01-05-01-02-01-01.wav"


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: audio only, speech, emotion, intensity, sentence, repetition, actor."""
    pattern = r"Actor_(?P<speaker>\d\d)/03-01-(?P<label>0[1-8])-0[12]-0[12]-0[12]-(?P=speaker)"
    return match_files(root, LAYOUT, pattern, _LABELS)
