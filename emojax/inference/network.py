"""Network of a run or a published model, built from its settings, with its parameters."""

from __future__ import annotations

import dataclasses
import functools
import os
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from emojax.audio import log_mel
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.config import NETWORKS, NetworkConfig, read_section
from emojax.corpora.aggregate import EMOTION
from emojax.data.batches import Batch, waveforms
from emojax.data.units import Units
from emojax.files import printable
from emojax.manifests import check_same
from emojax.models.speech_network import Output, SpeechNetwork
from emojax.models.subtrees import Params, join, split
from emojax.pretrained import Trained, from_trained, read_manifest
from emojax.sharding import Layout, place_rows
from emojax.target import Target, here

FRONT_END = {
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "window_samples": log_mel.WINDOW_SAMPLES,
    "hop_samples": log_mel.HOP_SAMPLES,
    "mels": log_mel.MELS,
}
PRECISIONS = {"f32": jnp.float32, "bf16": jnp.bfloat16, "f16": jnp.float16}
_SAMPLES = 2_048  # any length; the parameters have the same shapes for all clips
Forward = Callable[[Params, Params, Params, jax.Array, Batch], Output]


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Network:
    """Parameters of one corpus's network: shared and corpus subtree, statistics, class mask.

    ``units`` are the units of its numbers; None for labels.
    """

    shared: Params
    corpus: Params
    stats: Params
    class_mask: jax.Array
    units: Units | None = dataclasses.field(default=None, metadata={"static": True})


@dataclasses.dataclass(frozen=True)
class LoadedRun:
    """Run that is ready for prediction.

    Attributes:
      manifest: the manifest of its checkpoint.
      model: the network.
      networks: corpus → its parameters.
    """

    manifest: dict
    model: SpeechNetwork
    networks: Mapping[str, Network]


def make_model(
    config: NetworkConfig,
    classes: int,
    target: Target | None = None,
    *,
    frozen_kernels: bool = False,
    frozen_norms: bool = False,
) -> SpeechNetwork:
    """Make the network that the settings describe, for up to ``classes`` classes.

    Args:
      config: settings of the network.
      classes: K, the width of the padded logits.
      target: kind of the devices that it runs on; this process's devices if not given.
      frozen_kernels: do not train the shared kernels.
      frozen_norms: do not train the trunk's norms.
    """
    network = pkgutil.resolve_name(NETWORKS[config.network])
    target = target or here()
    precision = target.precision if config.precision == "auto" else config.precision
    fast_conv = {"auto": target.fast_conv, "on": True, "off": False}[config.fast_conv]
    settings: dict[str, Any] = vars(config) | {
        "compute_dtype": PRECISIONS[precision],
        "transform": target.transform,
        "fast_conv": fast_conv,
        "conv_shortcut": target.conv_shortcut,
        "joint_sums": target.joint_sums,
        "classes": classes,
        "frozen_kernels": frozen_kernels,
        "frozen_norms": frozen_norms,
    }
    names = {field.name for field in dataclasses.fields(network)}
    return network(**{name: value for name, value in settings.items() if name in names})


def most_classes(manifest: Mapping) -> int:
    """Return K, the most labels of a corpus; heads are padded to K, so one program serves all."""
    return max(len(labels) for labels in manifest["corpora"].values())


def init_network(
    model: SpeechNetwork, key: jax.Array, shared_attention: bool = True
) -> tuple[Params, Params, Params]:
    """Initialise one corpus's network at random, as ``(shared, corpus, stats)``."""
    inputs = model.inputs(jnp.zeros((1, _SAMPLES)), jnp.full(1, _SAMPLES))
    variables = model.init(key, *inputs, jnp.ones(model.classes, bool), train=False)
    return *split(variables["params"], shared_attention), variables.get("stats", {})


def choose_corpus(model: str | os.PathLike, corpus: str | None = None) -> str:
    """Return the given corpus; if None, the domain of common emotions or the only corpus.

    Raises:
      ValueError: there is no such trained model, or it has several corpora and none was chosen.
    """
    if corpus is not None:
        return corpus
    corpora = list(read_manifest(model)["corpora"])
    if len(corpora) > 1 and EMOTION not in corpora:
        raise ValueError(
            f"{os.fspath(model)} has several corpora; give corpus=, one of {', '.join(corpora)}"
        )
    return EMOTION if EMOTION in corpora else corpora[0]


def load_networks(
    workdir: str | os.PathLike, corpora: Sequence[str] | None = None, state: str = "best"
) -> LoadedRun:
    """Load the networks of a run or of a published model.

    Args:
      workdir: folder or name, as for :func:`emojax.pretrained.find`.
      corpora: the corpora to load, all if not given; no other subtree is read.
      state: ``"best"`` by devel UAR, or ``"latest"``.

    Raises:
      ValueError: the run is not trained, or has no such corpus; the message has the choices.
    """
    return from_trained(workdir, lambda trained: _load(trained, corpora, state, workdir))


def _load(
    trained: Trained, corpora: Sequence[str] | None, state: str, workdir: str | os.PathLike
) -> LoadedRun:
    manifest = trained.manifest
    check_same({"front_end": manifest.get("front_end")}, {"front_end": FRONT_END}, workdir)
    names = list(manifest["corpora"]) if corpora is None else list(corpora)
    _check_choice(manifest, names, state, workdir)
    config = read_section(NetworkConfig, manifest["config"])
    model = make_model(config, most_classes(manifest))
    shared, corpus, stats = jax.eval_shape(
        lambda: init_network(model, jax.random.key(0), config.shared_attention)
    )
    like_corpus = {"params": corpus, "stats": stats}
    trees = trained.restore(
        state, {"shared": {"params": shared}, **dict.fromkeys(names, like_corpus)}
    )
    trees = jax.device_put(trees)  # else every call would copy the host's arrays to the device
    shared = trees["shared"]["params"]
    classes = {name: jnp.arange(model.classes) < len(manifest["corpora"][name]) for name in names}
    units = {
        name: Units.from_json(own, len(manifest["corpora"][name]))
        for name, own in manifest.get("numbers", {}).items()
    }
    networks = {
        name: Network(
            shared,
            trees[name]["params"],
            trees[name].get("stats", {}),
            classes[name],
            units.get(name),
        )
        for name in names
    }
    return LoadedRun(manifest, model, networks)


def _check_choice(
    manifest: Mapping, names: Sequence[str], state: str, workdir: str | os.PathLike
) -> None:
    unknown = [name for name in names if name not in manifest["corpora"]]
    if unknown:
        raise ValueError(
            f"unknown corpus {', '.join(map(repr, unknown))}; "
            f"the model in {workdir} has {', '.join(map(printable, manifest['corpora']))}"
        )
    if state == "best" and manifest["best_step"] is None:
        raise ValueError(f"{workdir} was stopped before its first evaluation; go on training it")


@functools.lru_cache(maxsize=8)  # corpora that are loaded one by one share a compiled program
def make_forward(model: SpeechNetwork) -> Forward:
    """Make ``forward(shared_params, corpus_params, stats, class_mask, batch) -> Output``."""

    @jax.jit
    def forward(shared, corpus, stats, class_mask, batch: Batch) -> Output:
        variables = {"params": join(shared, corpus), "stats": stats}
        inputs = model.inputs(waveforms(batch), jnp.asarray(batch.length))
        return cast(Output, model.apply(variables, *inputs, class_mask, train=False))

    return forward


def make_split_forward(model: SpeechNetwork, layout: Layout) -> Forward:
    """Make a forward pass that splits the rows over the devices, if they divide evenly."""
    forward = make_forward(model)
    if layout.mesh.size == 1:
        return forward
    # Copy the outputs to every process.
    gather = jax.jit(lambda output: output, out_shardings=layout.everywhere)

    def split_forward(shared, corpus, stats, class_mask, batch: Batch) -> Output:
        if isinstance(batch.length, np.ndarray):
            batch = place_rows(batch, layout)
        return gather(forward(shared, corpus, stats, class_mask, batch))

    return split_forward
