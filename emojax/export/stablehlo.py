"""Export as StableHLO: one file that JAX runs on CPUs, GPUs and TPUs without flax or EmoJAX."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import jax
import jax.numpy as jnp
from jax import export

from emojax.audio import log_mel
from emojax.export.portable import Portable, load_portable, write_description
from emojax.files import new_folder
from emojax.models.adapter_resnet import STACKS
from emojax.models.speech_network import Output

STABLEHLO_FILE = "model.stablehlo"
PLATFORMS = ("cpu", "cuda", "tpu")
_EXAMPLE = """\
import json
from pathlib import Path

import numpy as np
import soundfile
from jax import export

samples, rate_hz = soundfile.read("call.wav", dtype="float32")  # 16 kHz, mono
network = export.deserialize(bytearray(Path("model.stablehlo").read_bytes()))
answer = network.call(samples[None], np.array([len(samples)], np.int32))
labels = json.load(open("model.json"))["labels"]
print(dict(zip(labels, answer["probabilities"][0].tolist())))"""


def export_stablehlo(
    run: str, folder: str | Path, corpus: str | None = None, license: str = ""
) -> Path:
    """Write the network of one corpus as ``model.stablehlo``, whole or not at all.

    Arguments and errors are those of :func:`emojax.export.portable.load_portable`, and ``folder``
    is a new or empty folder.

    Returns:
      The folder.
    """
    network, folder = load_portable(run, corpus, license), Path(folder).expanduser().resolve()
    with new_folder(folder) as draft:
        (draft / STABLEHLO_FILE).write_bytes(make_exported(network).serialize())
        write_description(draft, network, folder.name, STABLEHLO_FILE, "int32", _EXAMPLE)
    return folder


def make_exported(network: Portable) -> export.Exported:
    """Return a network as a function of audio f32 ``[b, t]`` and length i32 ``[b]``, any b and t.

    It gives a dict of ``probabilities`` f32 ``[b, labels]`` and ``embedding`` f32 ``[b, D]``.
    """

    @jax.jit
    def answer(audio: jax.Array, length: jax.Array) -> dict[str, jax.Array]:
        inputs = network.model.inputs(_padded(audio), length)
        classes = jnp.arange(network.model.classes) < len(network.labels)
        variables = {"params": network.params, "stats": network.stats}
        output = cast(Output, network.model.apply(variables, *inputs, classes, train=False))
        logits = output.logits[:, : len(network.labels)] / network.temperature
        return {"probabilities": jax.nn.softmax(logits), "embedding": output.embedding}

    batch, samples = export.symbolic_shape("b, t")
    audio = jax.ShapeDtypeStruct((batch, samples), jnp.float32)
    length = jax.ShapeDtypeStruct((batch,), jnp.int32)
    return export.export(answer, platforms=PLATFORMS)(audio, length)


def _padded(audio: jax.Array) -> jax.Array:
    """Pad to a number of frames that every stack can halve, as a shape of any length must."""
    several = 2**STACKS * log_mel.HOP_SAMPLES
    longer = jnp.pad(audio, [(0, 0), (0, several)])
    # One hop less, because a spectrogram has one frame more than hops.
    count = (audio.shape[1] + log_mel.HOP_SAMPLES) // several + 1
    return longer[:, : several * count - log_mel.HOP_SAMPLES]
