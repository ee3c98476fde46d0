"""Runner of one job: ``python -m emojax.experiments.launch.runner FOLDER COMMANDS``."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

# File in the job's folder that is made once all commands have succeeded.
MARK = "finished"
# File in the job's folder for the output of the commands.
LOG = "log.txt"
_LOOKS, _LOOK_S = 10, 0.1


@contextlib.contextmanager
def holding(folder: Path) -> Iterator[IO | None]:
    """Hold a run's folder and give its lock; None if another process has it."""
    with open(folder / ".job.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield lock


@contextlib.contextmanager
def _holding_soon(folder: Path) -> Iterator[IO | None]:
    """Hold a run's folder as :func:`holding`; wait for a plan that only looks at it."""
    for _ in range(_LOOKS):
        with holding(folder) as lock:
            if lock is not None:
                yield lock
                return
        time.sleep(_LOOK_S)
    yield None


def run(folder: Path, commands: Sequence[Sequence[str]]) -> int:
    """Run commands one after the other until one fails; mark the job as finished at the end.

    A job that is marked already is not run again.

    Args:
      folder: existing folder of the job.
      commands: arguments of Python.

    Returns:
      The exit status of the last command, or 75 if another process runs the job.
    """
    with _holding_soon(folder) as lock:
        if lock is None:
            return os.EX_TEMPFAIL
        if (folder / MARK).exists():
            return 0
        # The command handles Ctrl-C and saves its state. It would inherit SIG_IGN, but no handler.
        signal.signal(signal.SIGINT, lambda *_: None)
        with open(folder / LOG, "a", encoding="utf-8") as log:
            for command in commands:
                # The command shares the lock, which is held until both processes end.
                done = subprocess.run(
                    [sys.executable, *command],
                    stdout=log,
                    stderr=log,
                    pass_fds=[lock.fileno()],
                    check=False,
                )
                if done.returncode:
                    return done.returncode
        (folder / MARK).touch()
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), json.loads(sys.argv[2])))
