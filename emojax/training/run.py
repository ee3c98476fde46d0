"""Construction of a run's network, step and state from its settings and corpora."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping

import jax
import numpy as np

from emojax import sharding
from emojax.config import AUGMENTATIONS, PATH_KEYS, Config
from emojax.data.partitioned import PartitionedCorpus
from emojax.data.prepared import Clips
from emojax.data.sampling_schedule import SYNCHRONOUS
from emojax.inference.network import (
    FRONT_END,
    Forward,
    make_model,
    make_split_forward,
    most_classes,
)
from emojax.models.speech_network import SpeechNetwork
from emojax.sharding import Layout
from emojax.training.losses import balanced_class_weights
from emojax.training.train_state import EmoState, init_state
from emojax.training.train_step import (
    BatchOf,
    make_synchronous_rounds,
    make_train_steps,
    make_tune_step,
    train_step,
)
from emojax.training.transfer import make_optimizers
from emojax.versions import versions


@dataclasses.dataclass(frozen=True)
class Run:
    """Parts of a run.

    Attributes:
      model: the network.
      step: the jitted call that takes its training steps.
      forward: the jitted forward pass.
      state: the state before the first step.
    """

    model: SpeechNetwork
    step: Callable
    forward: Forward
    state: EmoState


def make_manifest(config: Config, corpora: Mapping[str, PartitionedCorpus]) -> dict:
    """Make the checkpoint's manifest: enough to build the network again without the corpora."""
    return {
        "emojax": versions()["emojax"],
        "front_end": FRONT_END,
        "order": list(corpora),
        "corpora": {name: list(corpus.labels) for name, corpus in corpora.items()},
        "partitions": {name: corpus.identity() for name, corpus in corpora.items()},
        "config": {key: value for key, value in config.flat().items() if key not in PATH_KEYS},
    }


def make_run(
    config: Config,
    manifest: Mapping,
    train: Mapping[str, Clips],
    batch_of: BatchOf,
    layout: Layout,
) -> Run:
    """Make the network, its jitted step and forward pass, and the initial state.

    Args:
      config: settings of the run.
      manifest: the result of :func:`make_manifest`.
      train: corpus → its training part, for the class weights.
      batch_of: the feed's function that makes a batch.
      layout: the layout of the devices.
    """
    classes = most_classes(manifest)
    model = make_model(
        config.network,
        classes,
        frozen_kernels=config.transfer.frozen_trunk,
        frozen_norms=config.transfer.mode == "last_layer",
    )
    optimizers = make_optimizers(config)
    key_init, key_steps = jax.random.split(jax.random.key(config.data.seed))
    state = init_state(
        model,
        {name: _class_weights(part, classes) for name, part in train.items()},
        {name: len(labels) for name, labels in manifest["corpora"].items()},
        optimizers,
        key_init,
        config.network.shared_attention,
    )
    one_step = functools.partial(
        train_step,
        augment={name: getattr(config.train, name) for name in AUGMENTATIONS},
        label_smoothing=config.train.label_smoothing,
    )
    step = _make_step(config, layout)(model, optimizers, key_steps, batch_of, one_step)
    return Run(model, step, make_split_forward(model, layout), state)


def _class_weights(part: Clips, classes: int) -> np.ndarray:
    """Return the class weights; balanced batches have each class equally often already."""
    labels = part.labels if part.strata is None else np.unique(part.labels)
    return balanced_class_weights(labels, classes)


def _make_step(config: Config, layout: Layout) -> Callable:
    """Return the function that makes the training step."""
    if config.transfer.frozen_trunk:
        return make_tune_step
    if config.train.sampling == SYNCHRONOUS:
        return functools.partial(make_synchronous_rounds, mesh=layout.mesh)
    return make_train_steps


def make_layout(config: Config, corpora: int) -> Layout:
    """Make the layout of the devices for so many corpora.

    Raises:
      ValueError: a batch cannot be split over them.
    """
    layout = sharding.make_layout(corpora if config.train.sampling == SYNCHRONOUS else 1)
    sharding.check_batch_size(config.train.batch_size, layout)
    return layout
