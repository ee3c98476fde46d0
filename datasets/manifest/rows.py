"""Conversion of the rows of a table to recordings, with all checks of their values."""

from __future__ import annotations

import dataclasses
import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from datasets.base import CorpusError, Source
from datasets.manifest.words import alike, one_form
from emojax.corpora.columns import is_missing
from emojax.corpora.segments import segment_name

SPLITS = {
    "train": "train",
    "training": "train",
    "devel": "devel",
    "development": "devel",
    "dev": "devel",
    "val": "devel",
    "valid": "devel",
    "validation": "devel",
    "test": "test",
    "testing": "test",
}
# Any other word says nothing that a gap between two could be told of.
_SEXES = {"female": "female woman f w", "male": "male man m"}
_SHOWN = 20


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of a table, with unchanged texts.

    ``label``, ``speaker`` and ``split`` are None if the table has no such column. ``end_s`` is
    None for the end of the file. ``columns`` has the further columns, by name. ``table`` and
    ``line`` locate the row in error messages.
    """

    table: str
    line: int
    file: str
    label: str | None
    speaker: str | None = None
    split: str | None = None
    start_s: float = 0.0
    end_s: float | None = None
    sex: str = ""
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)

    @property
    def where(self) -> str:
        """Table and line of the row, for error messages."""
        return f"{self.table}, line {self.line}"


def sources_of(rows: Sequence[Row], root: Path) -> list[Source]:
    """Convert rows to recordings, in the same order.

    Labels and speakers that differ only by case are refused, because only the table's author knows
    whether they are the same.

    Args:
      rows: rows of one table, or of one table per part.
      root: folder to which the file names are relative.

    Raises:
      CorpusError: a row is wrong, or a recording is listed twice; the message names the row.
    """
    _refuse_missing(rows)
    _refuse_alike(rows)
    folder = _Folder(root)
    sources: list[Source] = []
    places: dict[str, str] = {}
    for row in rows:
        source = _source(row, folder)
        if source.file in places:
            raise CorpusError(
                f"{row.where}: {source.file} is listed twice, first in {places[source.file]}"
            )
        places[source.file] = row.where
        sources.append(source)
    labels = sorted({one_form(row.label) for row in rows if row.label is not None})
    if len(labels) < 2 and not (rows and rows[0].label is None):
        tables = ", ".join(dict.fromkeys(row.table for row in rows)) or str(root)
        raise CorpusError(
            f"{tables}: {len(sources)} rows with labels {labels}; give at least two labels"
        )
    return sources


def _refuse_missing(rows: Sequence[Row]) -> None:
    """Refuse rows without a file, label or speaker, or with invisible characters in one."""
    unlabelled = [row for row in rows if row.label is None]
    if 0 < len(unlabelled) < len(rows):
        raise CorpusError(
            f"{unlabelled[0].table}: no column of labels, but another table has one; give every "
            "table one, or none"
        )
    for role in ("file", "label", "speaker"):
        texts = [(row, getattr(row, role)) for row in rows if getattr(row, role) is not None]
        wrong = [row for row, text in texts if is_missing(text) or not one_form(text).isprintable()]
        if wrong:
            first, others = wrong[0], [str(row.line) for row in wrong[1:]]
            more = f", and one like it is missing in line {_some(others)}" * bool(others)
            raise CorpusError(
                f"{first.where}: the {role} is {getattr(first, role)!r}{more}; every row needs "
                f"one, or none has that column: give it or remove the row, and rename a {role} "
                "that looks like none"
            )


def _refuse_alike(rows: Sequence[Row]) -> None:
    for role in ("label", "speaker"):
        words = [one_form(text) for row in rows if (text := getattr(row, role)) is not None]
        for group in alike(words):
            counted = ", ".join(f"{word} ({words.count(word)} rows)" for word in group)
            raise CorpusError(
                f"{rows[0].table}: the {role}s {counted} differ by upper and lower case only; "
                "write them in one way if they are one, else give them different names"
            )


def _source(row: Row, folder: _Folder) -> Source:
    """Convert one row to a recording."""
    split = SPLITS.get((row.split or "").strip().lower(), "")
    if row.split is not None and not split:
        raise CorpusError(
            f"{row.where}: unknown split {row.split!r}; there are {', '.join(SPLITS)}"
        )
    file, path = folder.find(row)
    return Source(
        segment_name(file, row.start_s, row.end_s),
        one_form(row.label or ""),
        speaker=one_form(row.speaker or ""),
        split=split,
        audio=path,
        start_s=row.start_s,
        end_s=row.end_s,
        sex=_sex(row.sex),
        columns={name: one_form(text) for name, text in row.columns.items()},
    )


def _sex(text: str) -> str:
    """Return ``female``, ``male`` or, of any other word, nothing.

    >>> _sex(" F "), _sex("Male"), _sex("diverse")
    ('female', 'male', '')
    """
    word = text.strip().casefold()
    return next((sex for sex, words in _SEXES.items() if word in words.split()), "")


class _Folder:
    """The folder with the files of a table; each file is searched once for all its segments."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Absolute paths in a table may begin with the given folder or with its resolved path.
        self.spellings = (os.path.abspath(root), os.path.realpath(root))
        self.found: dict[str, tuple[str, Path]] = {}

    def find(self, row: Row) -> tuple[str, Path]:
        """Return the file of a row: its path relative to the folder, and its path on disk."""
        if row.file not in self.found:
            file = self._inside(row)
            self.found[row.file] = file, self._on_disk(file)
        return self.found[row.file]

    def _inside(self, row: Row) -> str:
        """Return the path relative to the folder; ``..`` is resolved before links are followed."""
        path = os.path.normpath(os.path.join(self.spellings[0], row.file.replace("\\", "/")))
        for folder in self.spellings:
            file = os.path.relpath(path, folder)
            if file != ".." and not file.startswith("../"):
                return file
        raise CorpusError(
            f"{row.where}: {row.file} lies outside {self.root}; put the table above all its files"
        )

    def _on_disk(self, file: str) -> Path:
        """Return the path of a file whose name on disk may have another Unicode form (NFC, NFD)."""
        forms = (self.root / unicodedata.normalize(form, file) for form in ("NFC", "NFD"))
        path = self.root / file
        # Unlike Path.exists, os.path.exists does not raise for names that no file can have.
        return next((form for form in (path, *forms) if os.path.exists(form)), path)


def _some(words: Sequence[str]) -> str:
    """Return the first words, and their number if there are more."""
    return ", ".join(words[:_SHOWN]) + f", … ({len(words)} in all)" * (len(words) > _SHOWN)
