"""Construction of a run's network, step and state from its settings and corpora."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import numpy as np

from emojax import sharding
from emojax.config import (
    AUGMENTATIONS,
    PATH_KEYS,
    Config,
    NetworkConfig,
    TrainConfig,
    TransferConfig,
)
from emojax.data.partitioned_corpus import PartitionedCorpus
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
from emojax.training.averages import begin_averages
from emojax.training.losses import balanced_class_weights
from emojax.training.train_state import EmoState, init_state
from emojax.training.train_step import (
    BatchOf,
    Optimizers,
    make_synchronous_rounds,
    make_train_steps,
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
    units = {name: one.units.to_json() for name, one in corpora.items() if one.units}
    return {
        "emojax": versions()["emojax"],
        "front_end": FRONT_END,
        "order": list(corpora),
        "corpora": {name: list(corpus.labels) for name, corpus in corpora.items()},
        **({"numbers": units} if units else {}),
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
    steps = _make_steps(
        config.network, config.transfer, config.train, config.data.seed, classes, batch_of, layout
    )
    state = init_state(
        steps.model,
        {name: _class_weights(part, classes) for name, part in train.items()},
        {name: len(labels) for name, labels in manifest["corpora"].items()},
        steps.optimizers,
        _keys(config.data.seed)[0],
        config.network.shared_attention,
        manifest.get("numbers", ()),
    )
    if config.train.average_decay:
        state = begin_averages(state)
    return Run(steps.model, steps.step, make_split_forward(steps.model, layout), state)


class _Steps(NamedTuple):
    """Network, optimizers and jitted step of a run."""

    model: SpeechNetwork
    optimizers: Optimizers
    step: Callable


@functools.lru_cache(maxsize=8)  # runs that differ only in their clips share a program
def _make_steps(
    network: NetworkConfig,
    transfer: TransferConfig,
    train: TrainConfig,
    seed: int,
    classes: int,
    batch_of: BatchOf,
    layout: Layout,
) -> _Steps:
    model = make_model(
        network,
        classes,
        layout.target,
        frozen_kernels=transfer.frozen_trunk,
        frozen_norms=transfer.mode == "last_layer",
    )
    optimizers = make_optimizers(transfer, train)
    one_step = functools.partial(
        train_step,
        augment={name: getattr(train, name) for name in AUGMENTATIONS},
        label_smoothing=train.label_smoothing,
        mixup=train.mixup,
        average_decay=train.average_decay,
        frozen_trunk=transfer.frozen_trunk,
    )
    step = _make_step(train, layout)(model, optimizers, _keys(seed)[1], batch_of, one_step)
    return _Steps(model, optimizers, step)


def _keys(seed: int) -> jax.Array:
    """Return the keys of the parameters and of the steps."""
    return jax.random.split(jax.random.key(seed))


def _class_weights(part: Clips, classes: int) -> np.ndarray:
    """Return the class weights of a training part.

    They are equal for balanced batches, which have each class equally often, and 0 for numbers.
    """
    if part.numbers is not None:
        return np.zeros(classes, np.float32)
    labels = part.labels if part.strata is None else np.unique(part.labels)
    return balanced_class_weights(labels, classes)


def _make_step(train: TrainConfig, layout: Layout) -> Callable:
    """Return the function that makes the training step."""
    if train.sampling == SYNCHRONOUS:
        return functools.partial(
            make_synchronous_rounds, mesh=layout.mesh, average_decay=train.average_decay
        )
    return functools.partial(make_train_steps, flat=layout.target.flat_corpora)


def make_layout(config: Config, corpora: int) -> Layout:
    """Make the layout of the devices for a number of corpora.

    Raises:
      ValueError: a batch cannot be split evenly over the devices.
    """
    layout = sharding.make_layout(corpora if config.train.sampling == SYNCHRONOUS else 1)
    sharding.check_batch_size(config.train.batch_size, layout)
    return layout
