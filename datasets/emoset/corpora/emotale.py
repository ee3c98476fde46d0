"""EmoTale: Danish and English, acted, 18 speakers; most speak both languages."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

from datasets.base import CorpusError, Skipped, Source
from datasets.emoset.layout import TableError, match_files, read_rows, read_text
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.columns import is_number

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
_TABLE = "annotations.csv"
_COLUMNS = ("file", *(f"{who}_{letter}" for who in _ANNOTATORS for letter in _NUMBERS.values()))

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
        text = read_text(root, _TABLE)
    except CorpusError:
        return {}
    return {
        row["file"]: {name: _mean(row, letter, root) for name, letter in _NUMBERS.items()}
        for row in read_rows(text, _COLUMNS, root / _TABLE)
    }


def _mean(row: dict[str, str], letter: str, root: Path) -> str:
    texts = [text for who in _ANNOTATORS if (text := row[f"{who}_{letter}"].strip())]
    if strange := [text for text in texts if not is_number(text)]:
        raise TableError(f"{root / _TABLE}: {row['file']} has {strange[0]!r}, which is no number")
    given = list(map(float, texts))
    return f"{sum(given) / len(given):.6g}" if given else ""
