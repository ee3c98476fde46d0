"""The emotion of each recording, with the probability of each label, or its numbers.

Folders are searched for recordings. A recording that cannot be used has its error instead, and the
exit status is 1. With --out=FILE the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import csv
import functools
import io
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from emojax.commands.model_arguments import add_model_arguments, load_model
from emojax.commands.recordings import find_recordings
from emojax.commands.resumable import forget, rows_in_memory, rows_of
from emojax.files import printable, replacing

if TYPE_CHECKING:
    from emojax.inference.api import Model

AGAIN = "stopped; with --out=FILE the same command goes on where it was"
Writer = Callable[[Sequence[Mapping], TextIO], None]
_FIELDS = ("arousal", "valence", "warning", "error")
_MOST_FOR_NORMS = 500  # more recordings change the norms little
_NAMES = "surrogateescape"  # a file's name may be no Unicode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a recording, or a folder of them")
    add_model_arguments(parser)
    parser.add_argument("--labels", help="the labels to choose from, with commas; all if not given")
    parser.add_argument(
        "--adapt_norms",
        action="store_true",
        help="first estimate the norms on these recordings, without labels; for 16 or more, better "
        "some hundreds, of the same kind",
    )
    parser.add_argument(
        "--out", help="FILE.csv, FILE.json or FILE.jsonl; csv, json or jsonl alone are printed"
    )


def run(arguments: argparse.Namespace) -> int:
    """Predict, and print or write the answers."""
    out, write = _output(arguments.out)
    files = find_recordings(arguments.files)
    labels = arguments.labels.split(",") if arguments.labels else None
    model = load_model(arguments)
    if arguments.adapt_norms:
        some = random.Random(0).sample(files, min(len(files), _MOST_FOR_NORMS))
        model = model.adapt_norms(some, skip_errors=True)
    work = functools.partial(_rows, model, labels=labels)
    if out:
        about = {"model": model.fingerprint(), "labels": labels}
        rows = rows_of(files, work, out, about)
        with replacing(out) as draft, open(draft, "w", encoding="utf-8", errors=_NAMES) as file:
            write(rows, file)
        forget(out)
    else:
        rows = list(rows_in_memory(files, work))
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors=_NAMES)
        write(rows, sys.stdout)
    return int(any("error" in row for row in rows))


def _rows(model: Model, files: Sequence[str], labels: Sequence[str] | None) -> Iterator[dict]:
    """Yield the row of each file: its answer, or why there is none."""
    answers = model.predict_many(files, labels=labels, return_errors=True)
    for name, answer in zip(files, answers, strict=True):
        if isinstance(answer, ValueError):
            yield {"file": name, "error": str(answer)}
        else:
            yield {"file": name, **answer.to_json()}


def _output(out: str | None) -> tuple[Path | None, Writer]:
    """Return the file to write, None to print, and what writes it."""
    if out is None:
        return None, _write_text
    kind = out if out in _WRITERS else Path(out).suffix[1:].lower()
    if kind not in _WRITERS:
        raise ValueError(
            f"--out={printable(out)}; give FILE.csv, FILE.json or FILE.jsonl, or csv, json or "
            "jsonl alone"
        )
    return (None if out == kind else Path(out).expanduser()), _WRITERS[kind]


def _write_text(rows: Sequence[Mapping], file: TextIO) -> None:
    """Write a line for a person: file, label, its probability, and a warning or an error."""
    for row in rows:
        if "error" in row:
            print(printable(row["error"]), file=sys.stderr)
            continue
        if "numbers" in row:
            said = "  ".join(f"{name} {value:.3g}" for name, value in row["numbers"].items())
        else:
            said = f"{row['label']} {row['probabilities'][row['label']]:.0%}"
        line = f"{row['file']}  {said}  {row['warning']}"
        print(printable(line.rstrip()), file=file)


def _write_csv(rows: Sequence[Mapping], file: TextIO) -> None:
    if any("numbers" in row for row in rows):
        _write_numbers(rows, file)
        return
    labels = next((list(row["probabilities"]) for row in rows if "error" not in row), [])
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["file", "label", *labels, *_FIELDS])
    for row in rows:
        shares = [row["probabilities"][label] if "error" not in row else "" for label in labels]
        writer.writerow(
            [row["file"], row.get("label", ""), *shares, *(row.get(name, "") for name in _FIELDS)]
        )


def _write_numbers(rows: Sequence[Mapping], file: TextIO) -> None:
    columns = next(list(row["numbers"]) for row in rows if "numbers" in row)
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["file", *columns, "warning", "error"])
    for row in rows:
        values = [row.get("numbers", {}).get(name, "") for name in columns]
        writer.writerow([row["file"], *values, row.get("warning", ""), row.get("error", "")])


def _write_json(rows: Sequence[Mapping], file: TextIO) -> None:
    json.dump(list(rows), file, indent=1)
    file.write("\n")


def _write_lines(rows: Sequence[Mapping], file: TextIO) -> None:
    file.writelines(json.dumps(row) + "\n" for row in rows)


_WRITERS: Mapping[str, Writer] = {"csv": _write_csv, "json": _write_json, "jsonl": _write_lines}
