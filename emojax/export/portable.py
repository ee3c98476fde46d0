"""Networks that leave EmoJAX: one corpus, from waveform to calibrated probabilities."""

from __future__ import annotations

import dataclasses
import json
from importlib import resources
from pathlib import Path

import jax
import jax.numpy as jnp

from emojax.audio import log_mel
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.export.card import NO_LICENSE, check_license
from emojax.export.markdown import escaped
from emojax.files import printable
from emojax.inference.calibration import read_calibrations
from emojax.inference.network import FRONT_END, choose_corpus, load_networks
from emojax.inference.predict import WINDOW_SAMPLES
from emojax.models.adapter_resnet import AdapterResNet
from emojax.models.speech_network import SpeechNetwork
from emojax.models.subtrees import Params, join
from emojax.pretrained import find
from emojax.versions import versions

DESCRIPTION_FILE = "model.json"
_README = resources.files(__package__).joinpath("portable.md")


@dataclasses.dataclass(frozen=True)
class Portable:
    """Network of one corpus for a program without EmoJAX.

    Attributes:
      corpus: its name.
      labels: N labels; the network's logits are padded to more.
      model: the network, in float32.
      params: its parameters, as NumPy arrays.
      stats: its running statistics, as NumPy arrays.
      temperature: of the answers.
      license: of the weights, as the hub names it.
    """

    corpus: str
    labels: tuple[str, ...]
    model: SpeechNetwork
    params: Params
    stats: Params
    temperature: float
    license: str


def load_portable(run: str, corpus: str | None = None, license: str = "") -> Portable:
    """Load the best network of a trained model, for one of its corpora.

    Args:
      run: what :func:`emojax.pretrained.find` knows, such as a folder.
      corpus: as of :func:`emojax.load`.
      license: of the weights; if empty that of the published model, or unknown.

    Raises:
      ValueError: there is no such model or corpus, it is damaged, or the license cannot be used.
    """
    corpus = choose_corpus(run, corpus)
    loaded = load_networks(run, [corpus])
    if corpus in loaded.manifest.get("numbers", {}):
        raise ValueError(f"{corpus} answers with numbers; only corpora with labels can be exported")
    license = license or loaded.manifest.get("license", NO_LICENSE)
    check_license(license)
    calibration = read_calibrations(find(run), loaded.manifest).get(corpus)
    network = jax.device_get(loaded.networks[corpus])
    model = loaded.model.clone(compute_dtype=jnp.float32)
    if isinstance(model, AdapterResNet):
        model = model.clone(fast_conv=False, conv_shortcut=False, transform=log_mel.PORTABLE)
    return Portable(
        corpus,
        tuple(loaded.manifest["corpora"][corpus]),
        model,
        join(network.shared, network.corpus),
        network.stats,
        calibration.temperature if calibration else 1.0,
        license,
    )


def write_description(
    folder: Path, network: Portable, name: str, file: str, length_dtype: str, example: str
) -> None:
    """Write ``model.json``, which a program reads, and ``README.md``, which a person reads.

    Args:
      folder: of the network's file.
      network: the network.
      name: of the model.
      file: name of the network's file.
      length_dtype: of the input ``length``.
      example: lines of Python that use the network.
    """
    used = versions("jax", "onnx")
    description = {
        "file": file,
        "corpus": network.corpus,
        "labels": network.labels,
        "front_end": FRONT_END,
        "longest_s": WINDOW_SAMPLES / SAMPLE_RATE_HZ,
        "embedding_size": network.model.embedding_size,
        "temperature": network.temperature,
        "license": network.license,
        "versions": used,
    }
    (folder / DESCRIPTION_FILE).write_text(json.dumps(description, indent=1) + "\n")
    readme = _README.read_text("utf-8").format(
        **description | {"labels": escaped(", ".join(network.labels)), "name": escaped(name)},
        version=printable(used["emojax"]),
        length_dtype=length_dtype,
        example=example,
        size=len(network.labels),
    )
    (folder / "README.md").write_text(readme, encoding="utf-8")
