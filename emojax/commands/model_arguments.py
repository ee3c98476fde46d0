"""Arguments that say which trained model answers."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emojax.inference.api import Model


MODEL = (
    "a model of the package (emojax-small), the folder of a run or of a published model, or "
    "hf:OWNER/NAME"
)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--model`` and ``--corpus``."""
    parser.add_argument("--model", default="emojax-small", help=MODEL)
    add_corpus_argument(parser)


def add_corpus_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--corpus``."""
    parser.add_argument(
        "--corpus",
        help="the corpus whose labels and norms to use; if not given, the common emotions",
    )


def load_model(arguments: argparse.Namespace) -> Model:
    """Load the model that the arguments name."""
    from emojax.inference.api import load  # imports jax

    return load(arguments.model, arguments.corpus)
