"""Worker that answers clips as ``emojax predict`` does, and exports what the other workers need."""

from __future__ import annotations

from pathlib import Path

import worker
from clips import SAMPLE_RATE_HZ, noise

from emojax.compilation import use_compilation_cache
from emojax.cpu import use_fast_allocator

use_fast_allocator()  # both before jax is imported
use_compilation_cache()

import numpy as np

import emojax

MODEL = "emojax-small"


def serve_answers(settings: dict) -> None:
    """Serve answers of :meth:`emojax.Model.predict_many`."""
    model = emojax.load(MODEL)
    recordings = [(clip, SAMPLE_RATE_HZ) for clip in noise(settings["clips"])]

    def turn() -> int:
        model.predict_many(recordings)
        return 1

    worker.serve(turn, facts)


def facts() -> dict:
    """Return the device, version and memory of the run."""
    import jax

    device = jax.local_devices()[0].device_kind
    version = f"jax {jax.__version__}"
    return {"peak_memory_mib": worker.peak_memory_mib(), "device": device, "version": version}


def export(settings: dict) -> None:
    """Write ``onnx/model.onnx``, and ``exported.npz`` with a clip, its logits and parameters."""
    import jax.numpy as jnp
    from flax import traverse_util

    from emojax.audio import log_mel
    from emojax.export.onnx import export_onnx
    from emojax.export.portable import load_portable

    folder, audio, network = Path(settings["folder"]), noise(1), load_portable(MODEL)
    export_onnx(MODEL, folder / "onnx")
    inputs = network.model.inputs(jnp.array(audio), jnp.array([audio.shape[1]]))
    own, classes = len(network.labels), np.arange(network.model.classes) < len(network.labels)
    variables = {"params": network.params, "stats": network.stats}
    output = network.model.apply(variables, *inputs, classes, train=False)
    tensors = traverse_util.flatten_dict(variables, sep=".")
    for leaf in ("kernel", "bias"):
        tensors[f"params.head_logits.{leaf}"] = network.params["head_logits"][leaf][..., :own]
    np.savez(
        folder / "exported.npz",
        audio=audio,
        mel_filters=log_mel.filters(),
        logits=output.logits[:, :own],
        **{name.replace(".", "/", 1): tensor for name, tensor in tensors.items()},
    )
    worker.serve(lambda: 1, dict)


if __name__ == "__main__":
    {"answers": serve_answers, "export": export}[worker.settings()["job"]](worker.settings())
