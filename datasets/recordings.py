"""Recordings that a prepared corpus was made from (``recordings.csv``), and checks for changes.

A recording is unchanged if its size and times are the same. If only its times differ, as in a
copied folder, its digest is compared. A prepared corpus is also used if all of its recordings were
removed, for example to free disk space.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from datasets.sources import Skipped, Source
from emojax.corpora.segments import recording_of
from emojax.files import write_csv

RECORDINGS_FILE = "recordings.csv"


@dataclasses.dataclass(frozen=True)
class Recording:
    """A file that clips were cut from; a missing file has no size and no digest."""

    file: str
    size_bytes: int | None
    mtime_ns: int
    ctime_ns: int
    digest: str = ""


def paths_of(listing: Iterable[Source | Skipped]) -> dict[str, Path]:
    """Return name → path of the recordings that are files."""
    return {
        recording_of(item.file): item.audio
        for item in listing
        if isinstance(item, Source) and isinstance(item.audio, Path)
    }


def look_at(file: str, path: Path) -> Recording:
    """Read the size, times and digest of a file."""
    seen = _seen(file, path)
    return dataclasses.replace(seen, digest=_digest(path)) if seen.size_bytes is not None else seen


def are_same(folder: Path, paths: Mapping[str, Path]) -> bool:
    """Return whether a prepared corpus was made from these recordings in their present state.

    Args:
      folder: the prepared corpus; new times are stored there if it is writable.
      paths: name → path, from :func:`paths_of`.
    """
    try:
        noted = {recording.file: recording for recording in _read(folder / RECORDINGS_FILE)}
    except (OSError, ValueError, TypeError, KeyError):
        return False
    seen = {file: _seen(file, path) for file, path in paths.items()}
    if seen and all(recording.size_bytes is None for recording in seen.values()):
        return True
    if noted.keys() != seen.keys() or any(noted[f].size_bytes != seen[f].size_bytes for f in seen):
        return False
    touched = [file for file in seen if seen[file] != dataclasses.replace(noted[file], digest="")]
    with ThreadPoolExecutor() as pool:
        now = dict(
            zip(touched, pool.map(lambda file: look_at(file, paths[file]), touched), strict=True)
        )
    if any(now[file].digest != noted[file].digest for file in touched):
        return False
    if touched:
        with contextlib.suppress(OSError):
            write_recordings(folder / RECORDINGS_FILE, list((noted | now).values()))
    return True


def write_recordings(path: Path, recordings: Sequence[Recording]) -> None:
    """Write ``recordings.csv``: a header, then one row per recording."""
    header = (field.name for field in dataclasses.fields(Recording))
    write_csv(path, header, map(dataclasses.astuple, recordings))


def _read(path: Path) -> list[Recording]:
    with open(path, newline="", encoding="utf-8") as file:
        return [
            Recording(
                row["file"],
                int(row["size_bytes"]) if row["size_bytes"] else None,
                int(row["mtime_ns"]),
                int(row["ctime_ns"]),
                row["digest"],
            )
            for row in csv.DictReader(file)
        ]


def _seen(file: str, path: Path) -> Recording:
    """Read the size and times of a file, without its digest."""
    try:
        status = os.stat(path)
    except OSError:
        return Recording(file, None, 0, 0)
    if not stat.S_ISREG(status.st_mode):
        return Recording(file, None, 0, 0)
    return Recording(file, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _digest(path: Path) -> str:
    """Return the BLAKE2b digest of a file, or an empty string if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError:
        return ""
