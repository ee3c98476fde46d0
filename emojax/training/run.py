"""From a config and opened corpora to everything the loop needs."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections

import emojax
from emojax.audio import log_mel
from emojax.audio.augment import mask_bands
from emojax.audio.reading import MIN_DURATION_S, SAMPLE_RATE_HZ
from emojax.data.prepared import Clips
from emojax.data.turns import SYNCHRONOUS, check_sampling
from emojax.models.adapter_resnet import AdapterResNet
from emojax.training import devices
from emojax.training.corpora import PartitionedCorpus, check_aggregate
from emojax.training.devices import Layout
from emojax.training.losses import balanced_class_weights
from emojax.training.state import EmoState, init_state
from emojax.training.steps import (
    BatchOf,
    Forward,
    make_split_forward,
    make_synchronous_rounds,
    make_train_steps,
    make_tune_step,
)
from emojax.training.transfer import FROZEN_TRUNK, check_transfer, make_optimizers

# Where things lie is no property of a run: it may go on after its folders moved.
PLACES_FILE = "corpora.json"
PLACES = ("corpora", "source_dir", "data_dir", "allow_bad")
FRONT_END = {
    "sample_rate_hz": SAMPLE_RATE_HZ,
    "window_samples": log_mel.WINDOW_SAMPLES,
    "hop_samples": log_mel.HOP_SAMPLES,
    "mels": log_mel.MELS,
}
POSITIVE = (
    "width",
    "depth",
    "attention_units",
    "head_units",
    "batch_size",
    "window_s",
    "rounds_per_phase",
    "eval_every_rounds",
    "tuned_at_once",
)
NOT_NEGATIVE = ("seed", "attention_smoothing", "learning_rate_decay", "l2", "masked_mels", "patience_epochs")
FAST_CONV = {"auto": None, "on": True, "off": False}
PRECISION = {"auto": None, "f32": jnp.float32, "bf16": jnp.bfloat16}


def make_manifest(config: ml_collections.ConfigDict, corpora: Mapping[str, PartitionedCorpus]) -> dict:
    """What the checkpoint says of itself: enough to build the network again without the corpora."""
    settings = {key: value for key, value in config.to_dict().items() if key not in PLACES}
    return {
        "emojax": emojax.__version__,
        "front_end": FRONT_END,
        "order": list(corpora),
        "corpora": {name: list(corpus.labels) for name, corpus in corpora.items()},
        "partitions": {name: corpus.identity() for name, corpus in corpora.items()},
        "config": {
            key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()
        },
    }


def check_config(config: ml_collections.ConfigDict) -> None:
    """Raise a ValueError for a number that cannot be, before anything is read or written."""
    for name in POSITIVE:
        if not config[name] > 0:
            raise ValueError(f"{name}={config[name]}; give a number greater than 0: --config.{name}=...")
    for name in NOT_NEGATIVE:
        if not config[name] >= 0:
            raise ValueError(
                f"{name}={config[name]}; give a number that is not negative: --config.{name}=..."
            )
    for name in ("dropout", "momentum", "masked_share"):
        if not 0 <= config[name] < 1:
            raise ValueError(f"{name}={config[name]}; give a number from 0 up to, but not, 1")
    if config.window_s < MIN_DURATION_S:
        raise ValueError(f"window_s={config.window_s}; give at least {MIN_DURATION_S} s")
    if not config.learning_rates or not all(rate > 0 for rate in config.learning_rates):
        raise ValueError(
            f"learning_rates={config.learning_rates}; give a rate greater than 0 for every phase, "
            "such as (0.1, 0.01, 0.001)"
        )
    _choice(config, "fast_conv", FAST_CONV)
    _choice(config, "precision", PRECISION)
    check_sampling(config.sampling)
    check_aggregate(config.aggregate, config.label_words)
    check_transfer(config)


def _choice(config: Mapping, name: str, choices: Mapping[str, Any]) -> Any:
    choice = config[name]
    if choice not in choices:
        raise ValueError(f"{name}={choice!r}; choose one of {', '.join(choices)}")
    return choices[choice]


def make_model(config: Mapping, classes: int) -> AdapterResNet:
    """The network that the settings describe, for up to ``classes`` classes, on the machine at hand."""
    same_names = {field.name for field in dataclasses.fields(AdapterResNet)} & set(config)
    settings = {name: config[name] for name in same_names}
    settings["fast_conv"] = _choice(config, "fast_conv", FAST_CONV)
    here = jnp.float32 if jax.default_backend() == "cpu" else jnp.bfloat16
    settings["compute_dtype"] = _choice(config, "precision", PRECISION) or here
    settings["frozen_kernels"] = config["transfer"] in FROZEN_TRUNK
    settings["frozen_norms"] = config["transfer"] == "last_layer"
    return AdapterResNet(**settings, classes=classes)


def most_classes(manifest: Mapping) -> int:
    """K: heads are padded to the corpus with the most labels, so that one program serves all."""
    return max(len(labels) for labels in manifest["corpora"].values())


def make_run(
    config: ml_collections.ConfigDict,
    manifest: Mapping,
    train: Mapping[str, Clips],
    batch_of: BatchOf,
    layout: Layout,
) -> tuple[Callable, Forward, EmoState]:
    """The jitted step and forward pass, and the state before the first step.

    Args:
      config: the settings.
      manifest: of :func:`make_manifest`.
      train: corpus → its training part, for the class weights.
      batch_of: of the feed that brings the clips.
      layout: of the devices.
    """
    classes = most_classes(manifest)
    model = make_model(config, classes)
    optimizers = make_optimizers(config)
    key_init, key_steps = jax.random.split(jax.random.key(config.seed))

    state = init_state(
        model,
        {name: balanced_class_weights(part.labels, classes) for name, part in train.items()},
        {name: len(labels) for name, labels in manifest["corpora"].items()},
        optimizers,
        key_init,
        config.shared_attention,
    )
    augment = functools.partial(mask_bands, widest_mels=config.masked_mels, longest_share=config.masked_share)
    return (
        _make_step(config, layout)(model, optimizers, key_steps, batch_of, augment),
        make_split_forward(model, layout),
        state,
    )


def _make_step(config: ml_collections.ConfigDict, layout: Layout) -> Callable:
    """What makes the step of a training order."""
    if config.transfer in FROZEN_TRUNK:
        return make_tune_step
    if config.sampling == SYNCHRONOUS:
        return functools.partial(make_synchronous_rounds, mesh=layout.mesh)
    return make_train_steps


def make_layout(config: ml_collections.ConfigDict, corpora: int) -> Layout:
    """The devices, as so many corpora are trained on them.

    Raises:
      ValueError: a batch cannot be split over them.
    """
    layout = devices.make_layout(corpora if config.sampling == SYNCHRONOUS else 1)
    devices.check_batch_size(config.batch_size, layout)
    return layout
