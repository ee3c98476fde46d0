"""One run in a process of its own: ``python -m emojax.experiments.launch.runner FOLDER COMMANDS``."""

from __future__ import annotations

import contextlib
import fcntl
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

# In the run's folder: there once all commands have ended well.
MARK = "finished"
# What the commands print.
LOG = "log.txt"


@contextlib.contextmanager
def holding(folder: Path, wait: bool) -> Iterator[IO | None]:
    """Hold a run's folder and give its lock; without waiting, None if another process has it."""
    with open(folder / ".job.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield None
        else:
            yield lock


def run(folder: Path, commands: Sequence[Sequence[str]]) -> int:
    """Run commands one after the other, unless it is done, and leave a mark; stop at the first that fails.

    Args:
      folder: of the run, which exists.
      commands: arguments of Python.

    Returns:
      The exit status of the last command.
    """
    # A plan that was killed may have left this run going: then wait for it.
    with holding(folder, wait=True) as lock:
        if (folder / MARK).exists():
            return 0
        # Ctrl-C is for the command, which saves its state; a handler, unlike SIG_IGN, is not
        # inherited.
        signal.signal(signal.SIGINT, lambda *_: None)
        with open(folder / LOG, "a", encoding="utf-8") as log:
            for command in commands:
                # The lock is held as long as any of the two lives.
                done = subprocess.run(
                    [sys.executable, *command],
                    stdout=log,
                    stderr=log,
                    pass_fds=[lock.fileno()] if lock else [],
                    check=False,
                )
                if done.returncode:
                    return done.returncode
        (folder / MARK).touch()
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), json.loads(sys.argv[2])))
