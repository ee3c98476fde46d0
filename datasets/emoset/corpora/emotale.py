"""EmoTale: Danish and English, acted, 18 speakers, most of whom speak both."""

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from datasets.base import CorpusError, Skipped, Source
from datasets.emoset.layout import match_files, read_text
from emojax.corpora.catalogue import CATALOGUE

_LABELS = {
    "A": "anger",
    "B": "boredom",
    "H": "happiness",
    "N": "neutral",
    "S": "sadness",
}

# Three annotators, each with a column for each of these, from 1 to 5.
_ANNOTATORS = ("a1", "a2", "a3")
_NUMBERS = {"arousal": "A", "valence": "V", "dominance": "D"}

SPEC = CATALOGUE["emotale"]


def clips(root: Path) -> Iterator[Source | Skipped]:
    """The recordings: language, speaker (the same in both languages), emotion, sentence."""
    pattern = r"wav/(?:DK|EN)_(?P<speaker>\d{3})_(?P<label>[ABHNS])_[1-5]"
    numbers = _annotations(root)
    for item in match_files(root, SPEC.layout, pattern, _LABELS):
        own = numbers.get(Path(item.file).name, {})
        yield dataclasses.replace(item, columns=own) if isinstance(item, Source) else item


def _annotations(root: Path) -> dict[str, dict[str, str]]:
    """Return file → the mean of the annotators that answered; empty without their file."""
    try:
        text = read_text(root, "annotations.csv")
    except CorpusError:
        return {}
    return {
        row["file"]: {name: _mean(row, letter) for name, letter in _NUMBERS.items()}
        for row in csv.DictReader(text.splitlines())
    }


def _mean(row: dict[str, str], letter: str) -> str:
    given = [float(row[f"{who}_{letter}"]) for who in _ANNOTATORS if row[f"{who}_{letter}"].strip()]
    return f"{sum(given) / len(given):.6g}" if given else ""
