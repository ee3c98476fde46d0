"""Rounds of a shared network: the corpora in turn, all with one trunk."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence

import jax
import ml_collections
import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.data.batches import Batch
from emojax.data.prepared import Recordings
from emojax.data.sampling import drawn_clips, prefetched, training_batches
from emojax.data.turns import corpus_weights, turns
from emojax.training import devices
from emojax.training.schedule import Phases, Schedule
from emojax.training.state import EmoState
from emojax.training.steps import TrainStep

ALL = "all"  # the schedule of corpora that share a trunk


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What a look at devel says.

    Attributes:
      improved: corpora whose present state is the best so far.
      restarted: corpora that begin a phase, at their best state.
      best_uars: devel UAR of what is best, corpus by corpus, and their ``"mean"``.
    """

    improved: Collection[str]
    restarted: Collection[str]
    best_uars: Mapping[str, float]


def make_phases(config: ml_collections.ConfigDict, clips: int) -> Phases:
    """The phases of a corpus (or of several, the largest) of so many training clips."""
    epoch_rounds = math.ceil(clips / config.batch_size)
    return Phases(
        tuple(config.learning_rates),
        config.learning_rate_decay,
        config.rounds_per_phase,
        config.patience_epochs * epoch_rounds,
        config.eval_every_rounds,
    )


class RoundRobin:
    """The corpora in turn, all with one trunk and one schedule: that of their mean devel UAR (section 6.1).

    Args:
      config: the settings.
      train: corpus → its training part.
      train_step: of :func:`emojax.training.steps.make_train_step`.
      state: to begin at.
      schedules: how far it has come; empty at the beginning.
    """

    def __init__(
        self,
        config: ml_collections.ConfigDict,
        train: Mapping[str, Recordings],
        train_step: TrainStep,
        state: EmoState,
        schedules: Mapping[str, Schedule],
    ) -> None:
        self._sizes = sizes = {name: len(part) for name, part in train.items()}
        self._config, self._phases = config, make_phases(config, max(sizes.values()))
        self._train_step, self._names = train_step, list(train)
        self.state, self.schedules = state, {ALL: Schedule(), **schedules}
        self.steps_per_round = len(train)
        self.last_step = self._phases.longest * len(train)
        self.first_look: list[str] = []
        self._weights = corpus_weights(config.sampling, sizes)
        window = int(config.window_s * SAMPLE_RATE_HZ)
        self.batches = prefetched(
            training_batches(train, config.batch_size, window, config.seed, state.step, self._weights),
            lambda item: (item[0], devices.shard(item[1])),
        )

    @property
    def done(self) -> bool:
        """Whether the last phase is over."""
        return self._phases.done(self.schedules[ALL])

    @property
    def best_uar(self) -> float:
        """Mean devel UAR of the best state."""
        return self.schedules[ALL].best_uar

    def close(self) -> None:
        """Stop preparing batches."""
        self.batches.close()

    def train(self, item: tuple[str, Batch]) -> tuple[Sequence[int], Sequence[str], jax.Array]:
        """One step; gives its number, corpus and loss, in lists of one."""
        name, batch = item
        rate = self._phases.rate(self.schedules[ALL])
        self.state, loss = advance(self._train_step, self.state, name, batch, rate)
        if self._between_rounds:
            self.schedules = {ALL: self.schedules[ALL].next_round()}
        return [self.state.step - 1], [name], loss[None]

    def clips_of(self, step: int, name: str) -> np.ndarray:
        """The clips of a step, whose corpus is ``name``: indices into that corpus's training part."""
        config = self._config
        corpus, turn = next(turns(len(self._names), self._weights, config.seed, step))
        return drawn_clips(self._sizes[name], config.batch_size, turn, (config.seed, corpus, 0))

    def due(self) -> list[str]:
        """The corpora whose devel part is to be looked at now."""
        looks = self._between_rounds and self._phases.evaluates(self.schedules[ALL])
        return self._names if looks else []

    def judge(self, uars: Mapping[str, float]) -> Verdict:
        """Move the schedule on, given devel UARs and their mean."""
        before, after = self.schedules[ALL], self._phases.evaluated(self.schedules[ALL], uars["mean"])
        self.schedules = {ALL: after}
        improved = self._names if after.best_uar > before.best_uar else []
        restarted = self._names if after.phase > before.phase and not self.done else []
        return Verdict(improved, restarted, uars)

    @property
    def _between_rounds(self) -> bool:
        return self.state.step % self.steps_per_round == 0


def advance(
    train_step: TrainStep, state: EmoState, name: str, batch: Batch, rate: float
) -> tuple[EmoState, jax.Array]:
    """One step on one corpus; gives the next state and the loss. The old state's arrays are donated."""
    shared, corpus, loss = train_step(state.shared, state.corpora[name], batch, state.step, rate)
    return EmoState(shared, {**state.corpora, name: corpus}, state.step + 1), loss
