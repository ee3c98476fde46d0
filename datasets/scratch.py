"""The folder that corpora are prepared in, by one process at a time."""

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
    """Hold the scratch folder, once no other process does; what a killed one left in it is removed."""
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
            # Who held it removed the file at the end: then the lock is that of a newer file of this
            # name.
            if path.exists() and os.path.samestat(os.stat(path), os.fstat(lock.fileno())):
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return


def _sweep(data_dir: Path) -> None:
    for folder in data_dir.glob("incomplete.*"):
        shutil.rmtree(folder, ignore_errors=True)
