"""Driver of a run: what takes its steps, from a state on, over a feed of its clips."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import jax
import numpy as np

from emojax.config import Config
from emojax.data.feeds import make_feed
from emojax.data.prepared import Clips
from emojax.sharding import Layout, place
from emojax.training.adapter_tuning import AdapterTuning
from emojax.training.round_robin import RoundRobin
from emojax.training.run import Run, make_run
from emojax.training.schedule import EvalDecision, Schedule, Schedules
from emojax.training.train_state import EmoState

# New state → the state to go on from, and the progress of its schedules.
Begin = Callable[[EmoState], tuple[EmoState, Mapping[str, Schedule]]]


class Driver(Protocol):
    """Interface of a training order: the steps of a run, and the outcome of an evaluation.

    Attributes:
      state: the run after the steps so far.
      schedules: of its corpora.
      batches: the arguments of the successive calls of :meth:`train`.
      last_step: the step at which the run ends, at the latest.
      steps_per_round: steps that the progress bar counts as one round.
      first_evaluation: corpora to evaluate before the first step.
    """

    state: EmoState
    schedules: Schedules
    batches: Iterator[Any]
    last_step: int
    steps_per_round: int
    first_evaluation: Sequence[str]

    @property
    def step(self) -> int:
        """Number of steps so far."""

    @property
    def done(self) -> bool:
        """True when training is over."""

    def train(self, given: Any, /) -> tuple[Sequence[int], Sequence[str], jax.Array]:
        """Take the steps of a call; return the number, the corpus and the loss of each."""

    def clips_of(self, step: int, name: str) -> np.ndarray:
        """Return a step's clips as indices into a corpus's training part."""

    def due(self) -> list[str]:
        """Return the corpora whose devel part must be evaluated now."""

    def decide(self, evaluated: Sequence[str], uars: Mapping[str, float]) -> EvalDecision:
        """Advance the schedules of the evaluated corpora, given the devel UARs there are."""

    def close(self) -> None:
        """Stop preparing batches."""


def make_driver(
    config: Config,
    manifest: Mapping,
    train: Mapping[str, Clips],
    windows: Mapping[str, int],
    layout: Layout,
    begin: Begin,
    on_device: bool,
) -> tuple[Run, Driver]:
    """Make a run, and the driver of its training order at the state to begin with.

    Args:
      config: settings of the run.
      manifest: its labels, as in :func:`emojax.training.run.make_manifest`.
      train: corpus → its training part.
      windows: corpus → samples of its training clips, at most.
      layout: the layout of the devices.
      begin: function that puts the state to begin with in the place of a new one.
      on_device: keep the clips on the devices.
    """
    feed = make_feed(train, on_device, functools.partial(place, sharding=layout.everywhere))
    run = make_run(config, manifest, train, feed.batch, layout)
    state, progress = begin(run.state)
    kind = AdapterTuning if config.transfer.frozen_trunk else RoundRobin
    lengths = {name: part.lengths for name, part in train.items()}
    strata = {name: part.strata for name, part in train.items()}
    return run, kind(config, lengths, feed, windows, run.step, layout, state, progress, strata)
