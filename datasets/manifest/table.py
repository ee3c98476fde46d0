"""Reader of the CSVs of a manifest, which are untrusted."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from datasets.base import CorpusError, Source
from datasets.manifest.columns import Columns, find_columns
from datasets.manifest.rows import SPLITS, Row, sources_of
from datasets.manifest.times import read_time_s
from emojax.corpora.columns import is_missing, is_number
from emojax.files import printable

# Enough for millions of rows; a larger file is not a table of recordings.
MAX_TABLE_BYTES = 2**28
_COLUMNS = (
    "give a header with the columns file,label and, where known, speaker,sex,split "
    "(between , ; or tabs)"
)


def find_csvs(source: Path) -> dict[Path, str]:
    """Return the CSVs of a corpus → their part; empty if one CSV has all parts.

    Args:
      source: a CSV, or a folder with exactly one CSV or with ``train.csv``, ``devel.csv`` and
        ``test.csv``.

    Raises:
      CorpusError: any other source.
    """
    if source.is_file():
        return {source: ""}
    if not source.is_dir():
        raise CorpusError(f"no file or folder {source}; give a CSV, or a folder that holds one")
    csvs = sorted(path for path in source.glob("[!.]*") if path.suffix.lower() in (".csv", ".tsv"))
    broken = [str(path) for path in csvs if not path.is_file()]
    if broken:
        raise CorpusError(
            f"{broken[0]} is no file, or a link to none; give the path of the CSV itself"
        )
    parts = {path: SPLITS[path.stem.lower()] for path in csvs if path.stem.lower() in SPLITS}
    if len(parts) > 1 and len(set(parts.values())) == len(parts):
        return parts
    if len(csvs) == 1:
        return {csvs[0]: ""}
    raise CorpusError(
        f"{source} holds {', '.join(printable(path.name) for path in csvs) or 'no CSV'}; it should "
        "hold one CSV, or train.csv, devel.csv and test.csv; or give the path of the CSV itself"
    )


def read_sources(csvs: Mapping[Path, str]) -> list[Source]:
    """Read the recordings that the CSVs list, in the order of the rows.

    Raises:
      CorpusError: a CSV or a row is wrong; the message names the row.
    """
    rows = [row for path, part in csvs.items() for row in _rows(path, part)]
    return sources_of(rows, next(iter(csvs)).parent)


def columns_read(csvs: Mapping[Path, str]) -> list[str]:
    """Return a remark on columns read under another name and on further columns, if any."""
    found = [_open(path)[0] for path in csvs]
    renamed = dict.fromkeys(name for columns in found for name in columns.renamed)
    further = dict.fromkeys(printable(name) for columns in found for name in columns.unused)
    said = [f"read {', '.join(renamed)}"] * bool(renamed) + [
        f"further: {', '.join(further)}"
    ] * bool(further)
    return [f"columns: {'; '.join(said)}"] * bool(said)


def fingerprint(csvs: Mapping[Path, str]) -> str:
    """Return a hash of the CSVs and their parts; if it changes, the corpus is prepared again."""
    digest = hashlib.blake2b(digest_size=16)
    for path, part in csvs.items():
        digest.update(part.encode() + read_bytes(path))
    return digest.hexdigest()


def _rows(path: Path, part: str) -> Iterator[Row]:
    """Yield the rows of a CSV with unchanged texts."""
    columns, lines = _open(path)
    for line, cells in lines:
        row = {role: cells[number] for role, number in columns.number.items()}
        start_s, end_s = _times_s(row, columns, f"{path}, line {line}")
        split = part or row.get("split")
        further = {name: cells[number] for name, number in columns.further.items()}
        said = row["file"], row.get("label"), row.get("speaker"), split
        yield Row(str(path), line, *said, start_s, end_s, row.get("sex", ""), further)


def _times_s(row: Mapping[str, str], columns: Columns, where: str) -> tuple[float, float | None]:
    """Return start and end of a row's segment in seconds; None is the end of the file."""
    given: dict[str, float] = {}
    for role, unit_s in columns.unit_s.items():
        try:
            if not is_missing(row[role]):
                given[role] = read_time_s(row[role], unit_s)
        except ValueError:
            raise CorpusError(
                f"{where}: the {role} is {row[role]!r}; give seconds, as in 1.5, or hh:mm:ss.fff"
            ) from None
    if given and "start" not in given:
        raise CorpusError(
            f"{where}: there is no start; give one, or remove the {next(iter(given))} too"
        )
    start_s = given.get("start", 0.0)
    return start_s, start_s + given["duration"] if "duration" in given else given.get("end")


def _open(path: Path) -> tuple[Columns, Iterator[tuple[int, list[str]]]]:
    """Return the meanings of the columns of a CSV, and its rows with their line numbers."""
    lines = _lines(path)
    _, header = next(lines, (0, []))
    columns = find_columns(header, str(path))
    rows = _whole(lines, len(header), path)
    usable = "file" in columns.number
    if usable and "label" not in columns.number:
        kept = [*rows]
        usable, rows = _numbers(columns, kept), iter(kept)
    if not usable:
        raise CorpusError(f"{path}: the header is {','.join(header)[:200]!r}; {_COLUMNS}")
    return columns, rows


def _numbers(columns: Columns, rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Return whether a further column has numbers, so that there is something to learn."""
    cells = ([row[number] for _, row in rows] for number in columns.further.values())
    return any(any(own) and all(map(is_number, filter(None, own))) for own in cells)


def _whole(
    lines: Iterator[tuple[int, list[str]]], width: int, path: Path
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not empty; CorpusError for a wrong number of cells."""
    for line, cells in lines:
        if any(cells) and len(cells) != width:
            raise CorpusError(
                f"{path}, line {line}: {len(cells)} cells under a header of {width}; quote a cell "
                "that holds the delimiter"
            )
        if any(cells):
            yield line, cells


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells; the delimiter is the most frequent one of the header."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
        header = next(iter(io.StringIO(text, newline="")), "")
        delimiter = max(",;\t", key=header.count)
        # With strict, an open quote is an error instead of a cell with the rest of the file.
        lines = io.StringIO(text, newline="")
        reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: not a CSV in UTF-8 ({error}); save it as one") from None


def read_bytes(path: Path) -> bytes:
    """Read the file of a table; CorpusError if it is too large or cannot be read."""
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise CorpusError(
                f"{path}: larger than {MAX_TABLE_BYTES} bytes; give the CSV that lists the files"
            )
        return path.read_bytes()
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}; give a CSV that can be read") from None
