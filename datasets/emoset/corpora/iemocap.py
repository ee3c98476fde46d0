"""IEMOCAP, four classes: English, acted, ten speakers in five sessions."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from datasets.base import Skipped, Source
from datasets.emoset.layout import match_files, read_text
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "ang": "anger",
    "exc": "happiness",
    "hap": "happiness",
    "neu": "neutral",
    "sad": "sadness",
}
_EVALUATION = "dialog/EmoEvaluation/Ses*.txt"
# [start - end], turn, label, [valence, activation, dominance]
_TURN = re.compile(r"^\[[\d. -]+\]\t(\w+)\t(\w+)\t\[", re.MULTILINE)

SPEC = CATALOGUE["iemocap"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The turns with one of the four labels.

    In ``Ses01F_impro01_M000`` the man of session 1 (M) speaks, and the woman (F) wears the markers.
    """
    files = sorted(root.glob(f"Session?/{_EVALUATION}")) or [root / "Session1" / _EVALUATION]
    text = "\n".join(read_text(root, file.relative_to(root)) for file in files)
    labels = {turn: _LABELS[code] for turn, code in _TURN.findall(text) if code in _LABELS}
    pattern = (
        r"Session\d/(?:sentences/wav/[^/]+/|dialog/wav/)(?P<label>(?P<speaker>Ses\d\d)[FM]_\w+)"
    )
    for source in match_files(root, SPEC.layout, pattern, labels):
        if isinstance(source, Source):
            sex = source.file.rsplit("_", 1)[1][0]
            source = dataclasses.replace(source, speaker=source.speaker + sex)
        yield source
