"""BAVED: seven Arabic words, each said with low, normal and high emotional intensity."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.spec import CorpusSpec

_LABELS = {"0": "low", "1": "normal", "2": "high"}

SPEC = CorpusSpec(
    name="baved",
    labels=tuple(_LABELS.values()),
    language="Arabic",
    style="acted, single words",
    licence="none stated",
    source="https://github.com/40uf411/Basic-Arabic-Vocal-Emotions-Dataset",
    citation="Aouf: Basic Arabic Vocal Emotions Dataset (BAVED). 2019",
    counts={"low": 585, "normal": 672, "high": 678},
    speakers=60,
    notes="The labels are emotional intensities, not emotions. Speakers 46 and 53 share recordings; "
    "three speakers hold half the clips.",
)
LAYOUT = "0/55-m-16-0-1-239.wav"


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per word; speaker, sex, age, word, intensity, record."""
    return match_files(root, LAYOUT, r"[0-6]/(?P<speaker>\d+)-[fm]-\d+-[0-6]-(?P<label>[012])-\d+", _LABELS)
