"""One run in a process of its own: ``python -m emojax.experiments.launch.runner FOLDER COMMANDS``."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

# In the run's folder: there once all commands have ended well.
MARK = "finished"
# What the commands print.
LOG = "log.txt"


def run(folder: Path, commands: Sequence[Sequence[str]]) -> int:
    """Run commands one after the other, unless it is done, and leave a mark; stop at the first that fails.

    Args:
      folder: of the run, which exists.
      commands: arguments of Python.

    Returns:
      The exit status of the last command.
    """
    with open(folder / ".job.lock", "w") as lock:
        # A plan that was killed may have left this run going: then wait for it.
        fcntl.flock(lock, fcntl.LOCK_EX)
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
                    pass_fds=[lock.fileno()],
                    check=False,
                )
                if done.returncode:
                    return done.returncode
        (folder / MARK).touch()
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), json.loads(sys.argv[2])))
