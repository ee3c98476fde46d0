"""The known corpora: which of them are prepared here, and how to get the others."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

AGAIN = "stopped"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("--data_dir", default="data", help="folder of the prepared corpora")


def run(arguments: argparse.Namespace) -> None:
    """Print the list."""
    from emojax.corpora.listing import listing

    try:
        print(listing(Path(arguments.data_dir).expanduser()), flush=True)
    except BrokenPipeError:  # the reader has stopped, as `head` does
        # Python flushes stdout when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
