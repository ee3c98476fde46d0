"""Further columns of a corpus's table: their file, and which of them a run learns as domains."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from emojax.files import write_csv

# File of a prepared corpus with the further columns of its table; missing if there are none.
COLUMNS_FILE = "columns.csv"
LABEL = "label"  # the corpus's own labels, as a column
_FILE = "file"
# They include all values that pandas reads or writes as missing.
_MISSING = {"", *"nan -nan none null nil n/a #n/a na #na <na> nat ? - --".split()}  # noqa: SIM905

# File → column → text, empty where nothing is said.
Table = Mapping[str, Mapping[str, str]]


def is_missing(text: str) -> bool:
    """Return whether a text stands for a missing value.

    >>> is_missing("NaN"), is_missing("-"), is_missing("neutral")
    (True, True, False)
    """
    return text.casefold() in _MISSING


def is_number(text: str) -> bool:
    """Return whether a text is a finite number.

    >>> is_number(" 1.5 "), is_number("nan"), is_number("joy")
    (True, False, False)
    """
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def write_columns(folder: Path, table: Table) -> None:
    """Write the further columns of a prepared corpus atomically, unless they are there already."""
    names = [*dict.fromkeys(name for row in table.values() for name in row)]
    if not names or read_columns(folder) == {f: {**row} for f, row in table.items()}:
        return
    rows = ([file, *(row.get(name, "") for name in names)] for file, row in table.items())
    write_csv(folder / COLUMNS_FILE, [_FILE, *names], rows)


def read_columns(folder: Path) -> dict[str, dict[str, str]]:
    """Read what :func:`write_columns` wrote: file → column → text; empty if there is nothing."""
    path = folder / COLUMNS_FILE
    if not path.is_file():
        return {}
    with open(path, newline="", encoding="utf-8") as file:
        _, *names = next(rows := csv.reader(file))
        return {cells[0]: dict(zip(names, cells[1:], strict=True)) for cells in rows}


def parse_columns(columns: str) -> dict[str, list[tuple[str, ...]]]:
    """Parse the setting ``columns``: corpus → the columns of each domain.

    Raises:
      ValueError: the text has another form, or names a domain twice.

    >>> parse_columns("calls:emotion, calls:arousal+valence")
    {'calls': [('emotion',), ('arousal', 'valence')]}
    """
    asked: dict[str, list[tuple[str, ...]]] = {}
    for item in filter(None, map(str.strip, columns.split(","))):
        corpus, _, joined = item.partition(":")
        names = tuple(map(str.strip, joined.split("+")))
        if not (corpus and all(names)) or len(set(names)) < len(names):
            raise ValueError(
                f"{item!r}; give CORPUS:COLUMN, or CORPUS:COLUMN+COLUMN for several columns of "
                "numbers in one domain, with commas between, as in "
                "calls:emotion,calls:arousal+valence"
            )
        if len(names) > 1 and LABEL in names:
            raise ValueError(f"{item!r}; the labels are a domain of their own: {corpus}:{LABEL}")
        if names in asked.setdefault(corpus, []):
            raise ValueError(f"{item!r} is there twice; name each domain once")
        asked[corpus].append(names)
    return asked


def domain_name(corpus: str, columns: Sequence[str]) -> str:
    """Return the name of the domain of some columns of a corpus.

    >>> domain_name("calls", ("arousal", "valence (mean)")), domain_name("calls", ("label",))
    ('calls-arousal-valence_mean', 'calls')
    """
    if tuple(columns) == (LABEL,):
        return corpus
    words = (re.sub(r"[^A-Za-z0-9_-]+", "_", column).strip("_") or "column" for column in columns)
    return "-".join((corpus, *words))
