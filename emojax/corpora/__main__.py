"""List all known corpora: ``python -m emojax.corpora [--data_dir=DIR]``."""

import os
import sys
from pathlib import Path

from absl import app, flags

from emojax.corpora.listing import listing

_DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")


def main(argv: list[str]) -> None:
    """Print what is prepared, what is missing, and how to get it."""
    if len(argv) != 1:
        raise app.UsageError("there is no argument but --data_dir")
    try:
        print(listing(Path(_DATA_DIR.value).expanduser()), flush=True)
    except ValueError as error:
        raise SystemExit(f"emojax.corpora: {error}") from None
    except BrokenPipeError:  # who reads has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end


if __name__ == "__main__":
    app.run(main)
