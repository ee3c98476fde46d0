"""Tuning of several corpora at once over a frozen trunk, each independent of the others."""

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
    """Tuning of adapters and heads over a frozen trunk, with one schedule for each corpus.

    This is the further tuning of section 5.2.2. A group of corpora is tuned at once; the next
    corpus joins when one is done. The best state is chosen for each corpus separately, and the
    initial state is one of the candidates.

    Args:
      config: the settings.
      lengths: corpus → samples of each clip of its training part, int ``[N]``.
      feed: the feed of those training parts.
      windows: corpus → samples of its training clips, at most; corpora that are tuned at once use
        the longest of their windows.
      tune_step: the step from :func:`emojax.training.train_step.make_tune_step`.
      layout: the layout of the devices.
      state: the initial state.
      progress: corpus → its schedule so far; empty for a new run.
      strata: corpus → label and source of each clip, int ``[N, 2]``, for balanced batches.
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
        strata: Mapping[str, np.ndarray | None] | None = None,
    ) -> None:
        self._config, self._tune_step, self._layout = config, tune_step, layout
        self._lengths, self._feed, self._windows = lengths, feed, windows
        self._strata = strata or {}
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
        """Return the feed's rows for the group's step that is ``later`` steps after ``rounds``."""
        clips = [self._sample(name, window, round_ + later) for name, round_ in rounds.items()]
        return jax.block_until_ready(place(self._feed.rows(clips, window), self._layout.rows))

    def _sample(self, name: str, window: int, round_: int) -> ClipIndices:
        batch_size, seed = self._config.train.batch_size, self._config.data.seed
        number = list(self._lengths).index(name)
        lengths, strata = self._lengths[name], self._strata.get(name)
        return sample_clips(lengths, window, batch_size, seed, number, round_, strata)

    @property
    def step(self) -> int:
        """Number of steps so far."""
        return self.state.step

    @property
    def done(self) -> bool:
        """True when every corpus is done."""
        return not self._group

    def close(self) -> None:
        """Stop preparing batches."""
        self.batches.close()
        del self.batches  # it refers to this object, and so to the clips on the device

    def train(self, rows: Any) -> tuple[Sequence[int], Sequence[str], jax.Array]:
        """Take one step on every corpus of the group; return its number, the corpora and losses."""
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
        """Return the indices of a step's training clips; the last evaluation must be earlier."""
        round_ = self.schedules.progress[name].round - (self.step - step)
        return self._sample(name, self._window, round_).clips

    def due(self) -> list[str]:
        """Return the corpora whose devel part must be evaluated now."""
        return self.schedules.due(self._group)

    def decide(self, evaluated: Sequence[str], uars: Mapping[str, float]) -> EvalDecision:
        """Advance the schedules of the evaluated corpora, given the devel UARs there are."""
        decision = self.schedules.decide(evaluated, uars)
        if set(self._group) - set(self.schedules.unfinished()):
            self.batches.close()
            self._begin_group()
        return decision
