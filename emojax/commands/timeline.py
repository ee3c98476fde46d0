"""When somebody speaks in a long recording, and with which emotion.

Speech is found by Silero's detector (pip install "emojax[vad]"). Each second of it has the mean
probabilities of the windows of 3 s that cover it; seconds of one label make a segment. Without
--out the segments are printed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from emojax.commands.model_arguments import add_model_arguments, load_model

AGAIN = "stopped; nothing is written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("file", metavar="FILE", help="a recording of up to a day")
    add_model_arguments(parser)
    parser.add_argument(
        "--channels",
        choices=("mix", "split"),
        default="mix",
        help="split answers for each channel by itself, as where a call has a speaker on each",
    )
    parser.add_argument(
        "--out",
        action="append",
        default=[],
        metavar="FILE.SUFFIX",
        help="a table (.csv, .jsonl), marks (.rttm, .vtt, .txt for Audacity, .TextGrid), a picture "
        "(.png) or a page with the sound (.html); can be given several times",
    )


def run(arguments: argparse.Namespace) -> None:
    """Make the timeline, and print or write it."""
    from emojax.timeline.table import nobody, table  # imports jax
    from emojax.timeline.timeline import make_timeline
    from emojax.timeline.writers import write, writer_of

    outs = [Path(out).expanduser() for out in arguments.out]
    for out in outs:
        writer_of(out)  # says what is wrong before the work
    timeline = make_timeline(load_model(arguments), arguments.file, arguments.channels)
    if not outs:
        print(table(timeline))
    elif not timeline.segments:
        print(nobody(timeline), file=sys.stderr)
    for out in outs:
        write(timeline, out)
