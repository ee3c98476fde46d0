"""Scratch folder in which one process at a time prepares corpora."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

SCRATCH = "incomplete.prepare"
_LOCK = ".prepare.lock"


@contextlib.contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Lock the scratch folder, and remove files that a killed process left in it."""
    with _locked(data_dir / _LOCK):
        _sweep(data_dir)
        try:
            yield
        finally:
            _sweep(data_dir)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that leaves no file behind."""
    while True:
        with open(path, "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(
                    f"waiting for another process, which prepares in {path.parent}", file=sys.stderr
                )
                fcntl.flock(lock, fcntl.LOCK_EX)
            # The previous holder removes the file; then another process may have locked a new one.
            if path.exists() and os.path.samestat(os.stat(path), os.fstat(lock.fileno())):
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return


def _sweep(data_dir: Path) -> None:
    for folder in data_dir.glob("incomplete.*"):
        shutil.rmtree(folder, ignore_errors=True)
