"""Entry point of the command ``emojax``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from emojax.command_line import command
from emojax.compilation import use_compilation_cache
from emojax.cpu import use_fast_allocator

# Each is a module of this package with add_arguments(parser), run(arguments) and AGAIN.
COMMANDS = ("predict", "timeline", "embed", "listen", "demo", "export", "corpora")


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands; it imports nothing slow.

    >>> make_parser().parse_args(["predict", "call.wav"]).files
    ['call.wav']
    """
    parser = argparse.ArgumentParser(
        prog="emojax", description="Emotions in recordings of speech.", allow_abbrev=False
    )
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(f"emojax.commands.{name}")
        summary, _, rest = (module.__doc__ or "").partition("\n")
        own = parsers.add_parser(
            name,
            help=summary,
            description=f"{summary}\n{rest}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(own)
        own.set_defaults(run=module.run, again=module.AGAIN)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the result is its exit status."""
    arguments = make_parser().parse_args(argv)
    use_fast_allocator()  # both before jax is imported
    use_compilation_cache()
    with command(f"emojax {arguments.command}", again=arguments.again):
        return arguments.run(arguments) or 0


if __name__ == "__main__":
    sys.exit(main())
