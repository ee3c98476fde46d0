"""List all known corpora: ``python -m emojax.corpora [--data_dir=DIR]``."""

import os
import sys
from pathlib import Path

from absl import app, flags

from emojax.command_line import command
from emojax.corpora.listing import listing

_DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")


def main(argv: list[str]) -> None:
    """Print what is prepared, what is missing, and how to get it."""
    if len(argv) != 1:
        raise app.UsageError("there is no argument but --data_dir")
    with command("emojax.corpora", again="stopped"):
        try:
            print(listing(Path(_DATA_DIR.value).expanduser()), flush=True)
        except BrokenPipeError:  # who reads has seen enough, as `head` does
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # Python flushes at its end


if __name__ == "__main__":
    app.run(main)
