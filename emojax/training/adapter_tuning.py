"""Several corpora at once over a frozen trunk, none of which knows of the others."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from emojax.config import Config
from emojax.data.feeds import Feed, prefetched
from emojax.data.sampling import ClipIndices, sample_clips
from emojax.sharding import Layout, place
from emojax.training.schedule import EvalDecision, Schedule, Schedules, make_phases
from emojax.training.train_state import EmoState
from emojax.training.train_step import TuneStep


class AdapterTuning:
    """Adapters and heads over a trunk that stays: some corpora at once, each with a schedule of its own.

    The further tuning of section 5.2.2. A corpus that is done makes room for the next one; none
    knows of the others, so what is best is chosen for each by itself, and the state at the
    beginning takes part in that.

    Args:
      config: the settings.
      lengths: corpus → samples of each clip of its training part, int ``[N]``.
      feed: of those parts.
      windows: corpus → samples of its training clips, at most; corpora that are tuned at once have
        the longest of theirs.
      tune_step: of :func:`emojax.training.train_step.make_tune_step`.
      layout: of the devices.
      state: to begin at.
      progress: how far each corpus has come; empty at the beginning.
    """

    steps_per_round = 1

    def __init__(
        self,
        config: Config,
        lengths: Mapping[str, np.ndarray],
        feed: Feed,
        windows: Mapping[str, int],
        tune_step: TuneStep,
        layout: Layout,
        state: EmoState,
        progress: Mapping[str, Schedule],
    ) -> None:
        self._config, self._tune_step, self._layout = config, tune_step, layout
        self._lengths, self._feed, self._windows = lengths, feed, windows
        self.first_evaluation: Sequence[str] = list(lengths)
        phases = {name: make_phases(config, len(own)) for name, own in lengths.items()}
        self.schedules = Schedules(phases, {name: [name] for name in lengths}, progress)
        self.state = state
        groups = math.ceil(len(lengths) / config.transfer.tuned_at_once)
        self.last_step = groups * self.schedules.longest_rounds
        self._begin_group()

    def _begin_group(self) -> None:
        self._group = self.schedules.unfinished()[: self._config.transfer.tuned_at_once]
        numbers = {name: list(self._lengths).index(name) for name in self._group}
        self._numbers = np.array([*numbers.values()], np.int32)
        self._window = max((self._windows[name] for name in self._group), default=0)
        rounds = {name: self.schedules.progress[name].round for name in self._group}
        self.batches = prefetched(functools.partial(self._rows, rounds, self._window))

    def _rows(self, rounds: Mapping[str, int], window: int, later: int) -> Any:
        """What the feed sends along for a step of a group, so many after the one of these rounds."""
        clips = [self._sample(name, window, round_ + later) for name, round_ in rounds.items()]
        return jax.block_until_ready(place(self._feed.rows(clips, window), self._layout.rows))

    def _sample(self, name: str, window: int, round_: int) -> ClipIndices:
        batch_size, seed = self._config.train.batch_size, self._config.data.seed
        number = list(self._lengths).index(name)
        return sample_clips(self._lengths[name], window, batch_size, seed, number, round_)

    @property
    def step(self) -> int:
        """Steps so far."""
        return self.state.step

    @property
    def done(self) -> bool:
        """Whether every corpus is done."""
        return not self._group

    def close(self) -> None:
        """Stop preparing batches."""
        self.batches.close()
        del self.batches  # it holds this object, and so the clips on the device

    def train(self, rows: Any) -> tuple[Sequence[int], Sequence[str], jax.Array]:
        """One step of every corpus in the group; gives its number, and the loss of each."""
        rounds = [self.schedules.progress[name].round for name in self._group]
        corpora, losses = self._tune_step(
            self.state.shared,
            tuple(self.state.corpora[name] for name in self._group),
            self._feed.data,
            rows,
            self._numbers,
            np.array(rounds, np.int32),
            np.array([*map(self.schedules.rate, self._group)], np.float32),
            window=self._window,
        )
        tuned = dict(zip(self._group, corpora, strict=True))
        self.state = EmoState(self.state.shared, {**self.state.corpora, **tuned}, self.step + 1)
        self.schedules.next_round(self._group)
        return [self.step - 1] * len(self._group), self._group, losses

    def clips_of(self, step: int, name: str) -> np.ndarray:
        """The clips of a step since the last evaluation: indices into a corpus's training part."""
        round_ = self.schedules.progress[name].round - (self.step - step)
        return self._sample(name, self._window, round_).clips

    def due(self) -> list[str]:
        """The corpora whose devel part is to be evaluated now."""
        return self.schedules.due(self._group)

    def decide(self, uars: Mapping[str, float]) -> EvalDecision:
        """Move the schedules on, given the devel UAR of some corpora."""
        decision = self.schedules.decide(uars)
        if set(self._group) - set(self.schedules.unfinished()):
            self.batches.close()
            self._begin_group()
        return decision
