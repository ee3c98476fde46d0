"""A trained network for other programs, or for the Hugging Face hub.

onnx       model.onnx, for onnxruntime in any language or a browser: waveform in, probabilities out
stablehlo  model.stablehlo, the same for jax.export on CPUs, GPUs and TPUs
hub        what emojax.load reads: weights of all corpora as safetensors, and a model card

The folder is written whole or not at all.
"""

from __future__ import annotations

import argparse

from emojax.commands.model_arguments import MODEL, add_corpus_argument

AGAIN = "stopped; nothing was written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this command."""
    parser.add_argument("model", metavar="RUN", help=MODEL)
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder")
    parser.add_argument("--format", choices=("onnx", "stablehlo", "hub"), required=True)
    add_corpus_argument(parser)
    parser.add_argument(
        "--license",
        default="",
        help="of the weights, as the hub names it (cc-by-nc-sa-4.0, apache-2.0, ...); if not "
        "given that of the published model RUN, or unknown",
    )
    parser.add_argument(
        "--name", default="", help="of the model on the hub; that of DIR if not given"
    )
    parser.add_argument(
        "--unseen",
        default="",
        help="answers of zero_shot for the model card: OUT/runs/zero_shot/*/*/trained",
    )
    parser.add_argument(
        "--pooled", default="", help="scores of pooled for the model card: OUT/pooled.json"
    )


def run(arguments: argparse.Namespace) -> None:
    """Export, and print the folder."""
    model, folder, license = arguments.model, arguments.folder, arguments.license
    if arguments.format == "hub":
        from emojax.export.hub import export_hub

        _refuse(arguments, "corpus")
        card = arguments.name, arguments.unseen, arguments.pooled
        print(export_hub(model, folder, license, *card))
        return
    _refuse(arguments, "name", "unseen", "pooled")
    if arguments.format == "onnx":
        from emojax.export.onnx import export_onnx as export
    else:
        from emojax.export.stablehlo import export_stablehlo as export
    print(export(model, folder, arguments.corpus, license))


def _refuse(arguments: argparse.Namespace, *names: str) -> None:
    """Raise a ValueError for an argument that is not one of the format."""
    for name in names:
        if getattr(arguments, name):
            raise ValueError(f"--{name} is not for --format={arguments.format}; leave it out")
