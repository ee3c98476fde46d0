"""Export as ONNX, for programs without JAX: onnxruntime on any device, or in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from emojax.export.onnx_graph import Graph, Signature
from emojax.export.onnx_network import add_network
from emojax.export.portable import Portable, load_portable, write_description
from emojax.files import new_folder

ONNX_FILE = "model.onnx"
_EXAMPLE = """\
import json

import numpy as np
import onnxruntime
import soundfile

samples, rate_hz = soundfile.read("call.wav", dtype="float32")  # 16 kHz, mono
network = onnxruntime.InferenceSession("model.onnx")
inputs = {"audio": samples[None], "length": np.array([len(samples)], np.int64)}
probabilities, embedding = network.run(None, inputs)
labels = json.load(open("model.json"))["labels"]
print(dict(zip(labels, probabilities[0].tolist())))"""


def export_onnx(run: str, folder: str | Path, corpus: str | None = None, license: str = "") -> Path:
    """Write the network of one corpus as ``model.onnx``, whole or not at all; it takes ``onnx``.

    Arguments and errors are those of :func:`emojax.export.portable.load_portable`, and ``folder``
    is a new or empty folder.

    Returns:
      The folder.
    """
    import onnx

    network, folder = load_portable(run, corpus, license), Path(folder).expanduser().resolve()
    with new_folder(folder) as draft:
        onnx.save(make_model(network), draft / ONNX_FILE)
        write_description(draft, network, folder.name, ONNX_FILE, "int64", _EXAMPLE)
    return folder


def make_model(network: Portable) -> Any:
    """Return a network as an ``onnx.ModelProto``, in float32.

    It takes ``audio`` f32 ``[batch, samples]`` and ``length`` i64 ``[batch]``, and gives
    ``probabilities`` f32 ``[batch, labels]`` and ``embedding`` f32 ``[batch, D]``.
    """
    graph = Graph()
    add_network(graph, network, "audio", "length")
    return graph.model(
        {
            "audio": Signature(np.float32, ("batch", "samples")),
            "length": Signature(np.int64, ("batch",)),
        },
        {
            "probabilities": Signature(np.float32, ("batch", len(network.labels))),
            "embedding": Signature(np.float32, ("batch", network.model.embedding_size)),
        },
    )
