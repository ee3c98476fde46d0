"""Reader of audformat databases: a folder with ``db.yaml`` and a file for each table."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

from datasets.errors import CorpusError
from datasets.manifest.columns import meaning
from datasets.manifest.rows import SPLITS, Row, sources_of
from datasets.manifest.table import read_bytes
from datasets.manifest.words import one_form
from datasets.sources import Source

HEADER_FILE = "db.yaml"
_TABLE_FILE = re.compile(r"db\.(?P<table>.+)\.(?:csv|parquet)")


def is_database(source: Path) -> bool:
    """Return whether a path is an audformat database, or one of its tables."""
    return (source / HEADER_FILE).is_file() or bool(
        _TABLE_FILE.fullmatch(source.name) and (source.parent / HEADER_FILE).is_file()
    )


def read_database(source: Path) -> tuple[list[Source], str]:
    """Read the recordings or segments of the table with labels, and of its parts.

    Args:
      source: the folder, or the file of one of its tables to choose that table.

    Returns:
      The recordings, and a line that says which tables they come from.

    Raises:
      CorpusError: audformat is not installed, the database is broken, or several tables have
        labels.
    """
    root, chosen = source, ""
    if not source.is_dir():
        root, chosen = source.parent, _TABLE_FILE.fullmatch(source.name)["table"]  # type: ignore[index]
    with tempfile.TemporaryDirectory() as folder:
        database = _load(root, Path(folder))
        column, tables = _choose(database, root, chosen)
        speakers = _speakers(database)
        rows = [row for table in tables for row in _rows(database, root, table, column, speakers)]
    return sources_of(rows, root), f"{', '.join(tables)}: the label is {column}"


def fingerprint(source: Path) -> str:
    """Return a hash of the header and of all tables."""
    root = source if source.is_dir() else source.parent
    digest = hashlib.blake2b(
        f"{source.name}\0".encode(errors="replace") * (root != source), digest_size=16
    )
    for path in [root / HEADER_FILE, *_table_files(root)]:
        digest.update(read_bytes(path))
    return digest.hexdigest()


def _table_files(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if _TABLE_FILE.fullmatch(path.name))


def _load(root: Path, folder: Path) -> Any:
    """Load the database from a folder of links, which leaves out pickles beside its tables."""
    try:
        import audformat
        import yaml
    except ImportError:
        raise CorpusError(
            f"{root} is an audformat database, which needs a package: pip install audformat"
        ) from None
    for path in [root / HEADER_FILE, *_table_files(root)]:
        (folder / path.name).symlink_to(path.absolute())
    try:
        # audformat's loader runs code that a header names; the safe loader refuses such headers.
        header = yaml.safe_load(read_bytes(root / HEADER_FILE))
        names = [*(header.get("tables") or {}), *(header.get("misc_tables") or {})]
        if not all(re.fullmatch(r"[\w.-]+", str(name)) for name in names):
            raise CorpusError(f"{root}: a table's name leads out of the folder")
        return audformat.Database.load(str(folder), load_data=True)
    except CorpusError:
        raise
    except (
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        RuntimeError,
        OSError,
        yaml.YAMLError,
    ) as error:
        said = " ".join(str(error).replace(str(folder), str(root)).split())
        raise CorpusError(
            f"{root} is no audformat database that can be read ({type(error).__name__}: {said})"
        ) from None


def _choose(database: Any, root: Path, chosen: str) -> tuple[str, list[str]]:
    """Return the column with the labels, and its tables: one, or one for each part."""
    families: dict[tuple[str, str], list[str]] = {}
    for table in database.tables:
        for column, described in database[table].columns.items():
            if "label" in (meaning(column)[0], meaning(described.scheme_id or "")[0]):
                families.setdefault((_family(table), column), []).append(table)
    if chosen:
        families = {key: tables for key, tables in families.items() if key[0] == _family(chosen)}
    if len(families) == 1:
        ((_, column), tables), *_ = families.items()
        return column, tables
    if not families:
        names = ", ".join(database.tables) or "no table"
        raise CorpusError(f"{root}: no column of labels, such as emotion, in {names}")
    ways = ", ".join(
        f"{column} in NAME={root}/db.{tables[0]}.csv" for (_, column), tables in families.items()
    )
    raise CorpusError(f"{root}: several tables or columns have labels; choose one: {ways}")


def _family(table: str) -> str:
    """Return a table's name without its part: ``emotion.gold`` for ``emotion.train.gold``."""
    return ".".join(name for name in table.split(".") if name not in SPLITS)


def _rows(
    database: Any, root: Path, table: str, column: str, speakers: dict[Hashable, str]
) -> Iterator[Row]:
    frame, split = database[table].df, _split(database, table)
    roles = {name: meaning(name)[0] for name in frame.columns}
    kept = {name: one_form(name) for name, role in roles.items() if role != "speaker"}
    of_sex = next((name for name, role in roles.items() if role == "sex"), None)
    for line, (index, cells) in enumerate(
        zip(frame.index, frame.itertuples(index=False, name=None), strict=True), 2
    ):
        file, start_s, end_s = _segment(index)
        speaker = speakers.get((file, start_s, end_s), speakers.get(file, "")) if speakers else None
        texts = dict(zip(frame.columns, map(_text, cells), strict=True))
        further = {shown: texts[name] for name, shown in kept.items()}
        where = f"{root}/db.{table}", line, file
        times = start_s, end_s
        yield Row(*where, texts[column], speaker, split, *times, texts.get(of_sex, ""), further)


def _split(database: Any, table: str) -> str | None:
    """Return the part of a table, from the database or from the table's name."""
    split = database[table].split_id
    names = [database.splits[split].type, split] if split else []
    return next((name for name in [*names, *table.split(".")] if name in SPLITS), None)


def _speakers(database: Any) -> dict[Hashable, str]:
    """Return file, or (file, start, end in seconds) → speaker, from all tables."""
    speakers: dict[Hashable, str] = {}
    for table in database.tables:
        frame = database[table].df
        columns: Sequence[str] = [name for name in frame.columns if meaning(name)[0] == "speaker"]
        for index, speaker in zip(frame.index, frame[columns[0]], strict=True) if columns else ():
            if _text(speaker):
                speakers[_segment(index) if isinstance(index, tuple) else index] = _text(speaker)
    return speakers


def _segment(index: Any) -> tuple[str, float, float | None]:
    """Return the file of a row, and its start and end in seconds."""
    if not isinstance(index, tuple):
        return index, 0.0, None
    file, start, end = index
    return file, start.total_seconds(), end.total_seconds() if end == end else None


def _text(value: Any) -> str:
    """Return a cell as text; empty if it is missing."""
    import pandas  # which audformat brings

    return "" if pandas.isna(value) else str(value)
