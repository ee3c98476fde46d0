"""ASED: Amharic, acted, 65 speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.spec import CorpusSpec

_LABELS = {
    "01Neutral": "neutral",
    "02Fearful": "fearful",
    "03Happy": "happy",
    "04Sad": "sad",
    "05Angry": "angry",
}

SPEC = CorpusSpec(
    name="ased",
    labels=tuple(_LABELS.values()),
    language="Amharic",
    style="acted",
    licence="none stated",
    source="https://github.com/Ethio2021/ASED_V1",
    citation="Retta et al.: A New Amharic Speech Emotion Dataset and Classification Benchmark. TALLIP 2023",
    counts={"neutral": 522, "fearful": 510, "happy": 486, "sad": 470, "angry": 486},
    speakers=65,
    notes="Five of the seven sentences belong to one emotion each: the text gives the emotion away.",
)
LAYOUT = "05Angry/a5-03-01-02-50.wav"


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per emotion; emotion, sentence, take, sex, speaker."""
    pattern = rf"(?P<label>{'|'.join(_LABELS)})/[A-Za-z]\d-\d\d-\d\d-0[12]-(?P<speaker>\d\d)"
    return match_files(root, LAYOUT, pattern, _LABELS)
