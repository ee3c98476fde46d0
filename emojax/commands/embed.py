"""The embedding of each recording, for other programs to learn from.

--out=FILE.npz holds the arrays `files` [N] and `embeddings` float32 [N, D]; --out=FILE.parquet a
column `file` and D others. A recording that cannot be used is left out and listed, and the exit
status is 1. The same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emojax.commands.model_arguments import add_model_arguments, load_model
from emojax.commands.recordings import find_recordings
from emojax.commands.resumable import forget, rows_of
from emojax.files import printable, replacing

if TYPE_CHECKING:
    from emojax.inference.api import Model

AGAIN = "stopped; the same command goes on where it was"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a recording, or a folder of them")
    add_model_arguments(parser)
    parser.add_argument("--out", required=True, help="FILE.npz or FILE.parquet")


def run(arguments: argparse.Namespace) -> int:
    """Embed, and write the embeddings."""
    out = Path(arguments.out).expanduser()
    if out.suffix not in _WRITERS:
        raise ValueError(f"--out={printable(arguments.out)}; give FILE.npz or FILE.parquet")
    if out.suffix == ".parquet":
        import pyarrow  # noqa: F401  # said before the work, if it is missing
    files = find_recordings(arguments.files)
    model = load_model(arguments)
    rows = rows_of(files, functools.partial(_rows, model), out, {"embeddings": model.fingerprint()})
    usable = [row for row in rows if "error" not in row]
    for row in rows:
        if "error" in row:
            print(printable(row["error"]), file=sys.stderr)
    if usable:
        with replacing(out) as draft:
            _WRITERS[out.suffix](
                draft,
                [row["file"] for row in usable],
                np.array([row["embedding"] for row in usable], np.float32),
            )
    forget(out)
    return int(len(usable) < len(rows))


def _rows(model: Model, files: Sequence[str]) -> Iterator[dict]:
    for name, result in zip(files, model.embed_many(files, return_errors=True), strict=True):
        if isinstance(result, ValueError):
            yield {"file": name, "error": str(result)}
        else:
            yield {"file": name, "embedding": result.tolist()}


def _write_npz(path: Path, names: Sequence[str], embeddings: np.ndarray) -> None:
    with open(path, "wb") as file:
        np.savez(file, files=np.array(names), embeddings=embeddings)


def _write_parquet(path: Path, names: Sequence[str], embeddings: np.ndarray) -> None:
    import pyarrow
    from pyarrow import parquet

    # Parquet takes Unicode only, and a file's name may be none.
    names = [name.encode("utf-8", "backslashreplace").decode() for name in names]
    columns = {str(place): column for place, column in enumerate(embeddings.T)}
    parquet.write_table(pyarrow.table({"file": names, **columns}), path)


_WRITERS: Mapping[str, Callable[[Path, Sequence[str], np.ndarray], None]] = {
    ".npz": _write_npz,
    ".parquet": _write_parquet,
}
