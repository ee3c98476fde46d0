"""Rows of long work, kept in a file beside the result until the result is complete."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from emojax.files import printable

AT_ONCE = 128


def rows_of(
    files: Sequence[str],
    work: Callable[[Sequence[str]], Iterable[dict]],
    out: Path,
    about: Mapping[str, Any],
) -> list[dict]:
    """Return a row for each file; rows of an earlier call are used again.

    Args:
      files: names of the recordings.
      work: makes the rows of some files; each has the entry ``file``.
      out: the result, which is not written here; the rows lie in a hidden file beside it until
        :func:`forget` removes them.
      about: what the rows depend on.

    Raises:
      ValueError: the rows that are there depend on something else.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(out)
    done = _read(partial, about)
    left = [name for name in files if name not in done]
    with open(partial, "a", encoding="utf-8") as kept, _progress(len(files), len(done)) as bar:
        for some in _chunks(left):
            for row in work(some):
                done[row["file"]] = row
                kept.write(json.dumps(row) + "\n")
            kept.flush()
            bar.update(len(some))
    return [done[name] for name in files]


def rows_in_memory(
    files: Sequence[str], work: Callable[[Sequence[str]], Iterable[dict]]
) -> Iterator[dict]:
    """Yield the row of each file, which is kept nowhere, and show the progress."""
    with _progress(len(files), 0) as bar:
        for some in _chunks(files):
            yield from work(some)
            bar.update(len(some))


def forget(out: Path) -> None:
    """Remove the rows beside a result that is written."""
    _partial(out).unlink(missing_ok=True)


def _partial(out: Path) -> Path:
    return out.with_name(f".{out.name}.partial")


def _chunks(files: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(files), AT_ONCE):
        yield files[start : start + AT_ONCE]


def _progress(total: int, done: int) -> tqdm:
    return tqdm(total=total, initial=done, unit="file", disable=total <= AT_ONCE or None)


def _read(partial: Path, about: Mapping[str, Any]) -> dict[str, dict]:
    """Read the rows that are there; the first line says what they depend on."""
    content = partial.read_bytes() if partial.exists() else b""
    whole = content[: content.rfind(b"\n") + 1]  # a line that was being written is lost
    if not whole:
        partial.write_text(json.dumps(about) + "\n", encoding="utf-8")
        return {}
    os.truncate(partial, len(whole))
    try:
        first, *rows = map(json.loads, whole.decode().splitlines())
        found = {row["file"]: row for row in rows}
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{printable(str(partial))} is damaged; remove it") from None
    if first != about:
        raise ValueError(
            f"{printable(str(partial))} has answers of another model or other arguments; give the "
            "same again, or another --out, or remove it"
        )
    return found
