"""Reading the CSVs of a manifest, which come from strangers."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path

from datasets.base import CorpusError, Source

SPLITS = {
    "train": "train",
    "devel": "devel",
    "dev": "devel",
    "val": "devel",
    "valid": "devel",
    "validation": "devel",
    "test": "test",
}
_COLUMNS = "give a header with the columns file,label and, where known, speaker,split (between , ; or tabs)"


def find_csvs(source: Path) -> dict[Path, str]:
    """The CSVs of a corpus → the part that each is, or empty where the rows say it or nobody does.

    Args:
      source: a CSV, or a folder that holds exactly one, or a ``train.csv``, ``devel.csv`` and ``test.csv``.

    Raises:
      CorpusError: for anything else.
    """
    if source.is_file():
        return {source: ""}
    if not source.is_dir():
        raise CorpusError(f"no file or folder {source}; give a CSV, or a folder that holds one")
    csvs = sorted(path for path in source.glob("[!.]*") if path.suffix.lower() in (".csv", ".tsv"))
    parts = {path: SPLITS[path.stem.lower()] for path in csvs if path.stem.lower() in SPLITS}
    if len(parts) > 1 and len(set(parts.values())) == len(parts):
        return parts
    if len(csvs) == 1:
        return {csvs[0]: ""}
    raise CorpusError(
        f"{source} holds {', '.join(path.name for path in csvs) or 'no CSV'}; it should hold one CSV, "
        "or train.csv, devel.csv and test.csv; or give the path of the CSV itself"
    )


def read_sources(csvs: dict[Path, str]) -> list[Source]:
    """The recordings that the CSVs list, in their order.

    Raises:
      CorpusError: for a CSV or a row that is not as it should be; it names the row.
    """
    sources: list[Source] = []
    rows: dict[str, str] = {}
    for path, part in csvs.items():
        for line, row in _rows(path):
            where = f"{path}, line {line}"
            source = _source(path.parent, row, part, where)
            if source.file in rows:
                raise CorpusError(f"{where}: {source.file} is listed twice, first in {rows[source.file]}")
            rows[source.file] = where
            sources.append(source)
    labels = sorted({source.label for source in sources})
    if len(labels) < 2:
        names = ", ".join(map(str, csvs))
        raise CorpusError(f"{names}: {len(sources)} rows with labels {labels}; give at least two labels")
    return sources


def fingerprint(csvs: dict[Path, str]) -> str:
    """A hash of the CSVs and of where they lie: with another, the corpus has to be prepared again."""
    digest = hashlib.blake2b(digest_size=16)
    for path in csvs:
        digest.update(f"{path.resolve()}\0".encode(errors="surrogateescape") + path.read_bytes())
    return digest.hexdigest()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a CSV with their line numbers; the delimiter is what the header has most of."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            header = file.readline().strip()
            file.seek(0)
            reader = csv.reader(file, delimiter=max(",;\t", key=header.count), skipinitialspace=True)
            columns = [column.strip().lower() for column in next(reader, [])]
            if not {"file", "label"} <= set(columns):
                raise CorpusError(f"{path}: the header is {header[:200]!r}; {_COLUMNS}")
            for cells in filter(any, reader):
                if len(cells) != len(columns):
                    raise CorpusError(
                        f"{path}, line {reader.line_num}: {len(cells)} cells under a header of "
                        f"{len(columns)}; quote a cell that holds the delimiter"
                    )
                yield reader.line_num, dict(zip(columns, map(str.strip, cells), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: not a CSV in UTF-8 ({error}); save it as one") from None


def _source(root: Path, row: dict[str, str], part: str, where: str) -> Source:
    """The recording of a row."""
    for column, value in row.items():
        if column in ("file", "label", "speaker") and not (value and value.isprintable()):
            raise CorpusError(
                f"{where}: the {column} is {value!r}; every row needs one, or none has that column"
            )
    split = part or row.get("split", "")
    if split.lower() not in SPLITS and (part or "split" in row):
        raise CorpusError(f"{where}: unknown split {split!r}; there are {', '.join(SPLITS)}")
    path = (root / row["file"].replace("\\", "/")).resolve()
    if not path.is_relative_to(root.resolve()):
        raise CorpusError(
            f"{where}: {row['file']} lies outside {root} (links are followed); "
            "put the CSV above all its files"
        )
    return Source(
        path.relative_to(root.resolve()).as_posix(),
        row["label"],
        speaker=row.get("speaker", ""),
        split=SPLITS.get(split.lower(), ""),
        audio=path,
    )
