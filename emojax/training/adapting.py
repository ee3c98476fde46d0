"""Adaptation of a trained model to clips in memory, without a prepared corpus or a run's folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.config import MODES, SCRATCH, Config, NetworkConfig, read_config, read_section
from emojax.data.prepared import Recordings
from emojax.data.windows import choose_windows
from emojax.inference.api import Model
from emojax.inference.network import Network, make_model
from emojax.models.subtrees import Params
from emojax.pretrained import read_manifest
from emojax.sharding import place
from emojax.training.averages import averaged
from emojax.training.driver import make_driver
from emojax.training.metrics import Meter
from emojax.training.recipe import ADAPT
from emojax.training.run import make_layout
from emojax.training.schedule import Schedule
from emojax.training.train_state import EmoState, check_finite
from emojax.training.transfer import begin_at_base, with_network_of_base

# Name of the clips' corpus in messages; it has spaces, so no corpus of a base has it.
CLIPS = "these recordings"
# Settings of how corpora are read and divided, for clips in memory.
_IN_MEMORY = {
    "corpora": "",
    "source_dir": "",
    "data_dir": "",
    "allow_bad": False,
    "calibrated_by": "",
    "partition": "all",
    "domains": "corpora",
    "label_words": "",
    "refit": False,
}


def adaptation_config(
    base: str | os.PathLike, base_corpus: str, transfer: str, rounds: int, seed: int
) -> Config:
    """Return the settings of an adaptation: the network of the base, and the recipe ``ADAPT``.

    Args:
      base: what :func:`emojax.pretrained.find` knows.
      base_corpus: as in ``configs/base.py``.
      transfer: one of ``MODES`` except ``SCRATCH``.
      rounds: number of batches to train on.
      seed: seed of the parameters and of the order of the clips.

    Raises:
      ValueError: there is no such base, or a setting has a wrong value.
    """
    modes = {mode: what for mode, what in MODES.items() if mode != SCRATCH}
    if transfer not in modes:
        what = ", ".join(f"{mode!r} (trains {what})" for mode, what in modes.items())
        raise ValueError(f"transfer={transfer!r}; give one of {what}")
    settings = {**_network_settings(base), **ADAPT, **_IN_MEMORY}
    settings |= {"base": _as_text(base), "base_corpus": base_corpus, "transfer": transfer}
    return read_config({**settings, "rounds_per_phase": rounds, "seed": seed})


def in_memory(config: Config) -> Config:
    """Change settings of a run to those for clips in memory, with the network of its base."""
    return with_network_of_base(config.replace(**_IN_MEMORY))


def learn(config: Config, labels: Sequence[str], clips: Recordings) -> EmoState:
    """Train a network on clips; return its last state, with averaged weights if it has them.

    The steps are the same as those of ``train.py`` with the same settings and clips.

    Args:
      config: the result of :func:`adaptation_config` or :func:`in_memory`.
      labels: the label set.
      clips: the training clips; the state's only corpus is ``CLIPS``.

    Raises:
      ValueError: with ``last_layer``, the base has no corpus to start from.
      FloatingPointError: a loss, or a number of the last state, is not finite.
    """
    corpora, manifest = {CLIPS: clips}, {"corpora": {CLIPS: list(labels)}}
    longest = int(config.train.window_s * SAMPLE_RATE_HZ)
    windows = choose_windows({CLIPS: clips.lengths}, longest)
    layout = make_layout(config, 1)

    def begin(new: EmoState) -> tuple[EmoState, Mapping[str, Schedule]]:
        return place(begin_at_base(config, manifest, new), layout.everywhere), {}

    # From the host, batches have the same shapes whatever the clips, so folds share a program.
    _, driver = make_driver(config, manifest, corpora, windows, layout, begin, on_device=False)
    meter = Meter(config.train.batch_size, {})
    with contextlib.closing(driver):
        while not driver.done:
            meter.add(*driver.train(next(driver.batches)))
            if (due := driver.due()) and driver.decide(due, {}).restarted:
                # Without a devel part the best state is the last one, with averaged weights.
                driver.state = jax.tree.map(jnp.copy, averaged(driver.state))
        meter.settle()
        check_finite(driver.state)
    return averaged(driver.state)


def load_learnt(
    network: Mapping[str, Any], labels: Sequence[str], shared: Params, params: Params, stats: Params
) -> Model:
    """Make a model of what :func:`learn` returned.

    Args:
      network: settings of the network, ``vars(config.network)``.
      labels: the label set.
      shared: parameters of the shared subtree.
      params: parameters of the corpus's subtree.
      stats: statistics of the norms.
    """
    model = make_model(NetworkConfig(**network), len(labels))
    parts = jax.device_put((shared, params, stats, np.ones(len(labels), bool)))
    return Model(CLIPS, labels, model, Network(*parts))


def _network_settings(base: str | os.PathLike) -> dict[str, Any]:
    network = read_section(NetworkConfig, read_manifest(base)["config"])
    return {**vars(network), "adapters": True}


def _as_text(base: str | os.PathLike) -> str:
    """Return a base as text; a Path always means a folder, never a model of the package."""
    return base if isinstance(base, str) else os.path.abspath(base)
