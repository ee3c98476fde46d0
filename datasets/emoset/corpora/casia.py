"""CASIA: Mandarin, acted, four speakers."""

from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files
from emojax.corpora.spec import CorpusSpec

_LABELS = ("angry", "fear", "happy", "neutral", "sad", "surprise")

SPEC = CorpusSpec(
    name="casia",
    labels=_LABELS,
    language="Mandarin",
    style="acted",
    licence="research",
    source="http://www.chineseldc.org",
    citation="Institute of Automation, Chinese Academy of Sciences: CASIA Mandarin emotional corpus. 2005",
    counts=dict.fromkeys(_LABELS, 200),
    counts_per_speaker=dict.fromkeys(_LABELS, 50),
    speakers=4,
    folds=(("ZhaoZuoxiang",), ("liuchanhg",), ("wangzhe",), ("zhaoquanyin",)),
)
LAYOUT = "liuchanhg/angry/201.wav"


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: a folder per speaker, in it one per emotion, in it one file per sentence."""
    pattern = rf"(?P<speaker>[^/]+)/(?P<label>{'|'.join(_LABELS)})/\d+"
    return match_files(root, LAYOUT, pattern, dict(zip(_LABELS, _LABELS, strict=True)))
