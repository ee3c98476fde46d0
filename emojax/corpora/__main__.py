"""List all known corpora: ``python -m emojax.corpora [--data_dir=DIR]``."""

import os
import sys
from pathlib import Path

from absl import app, flags

from emojax.command_line import command
from emojax.corpora.listing import listing

_DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")


def main(argv: list[str]) -> None:
    """Print the prepared corpora, the missing ones, and how to get them."""
    if len(argv) != 1:
        raise app.UsageError("there is no argument but --data_dir")
    with command("emojax.corpora", again="stopped"):
        try:
            print(listing(Path(_DATA_DIR.value).expanduser()), flush=True)
        except BrokenPipeError:  # The reader has stopped, as `head` does.
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # Python flushes stdout when it exits.


if __name__ == "__main__":
    app.run(main)
