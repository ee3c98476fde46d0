"""Rounds over a frozen trunk: several corpora at once, none of which knows of the others."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import ml_collections
import numpy as np

from emojax.data.feeds import Feed
from emojax.data.prefetch import prefetched
from emojax.data.sampling import Draw, draw
from emojax.training.devices import Layout, place
from emojax.training.rounds import Verdict, make_phases
from emojax.training.schedule import Schedule
from emojax.training.state import EmoState
from emojax.training.steps import TuneStep


class Tuning:
    """Adapters and heads over a trunk that stays: some corpora at once, each with a schedule of its own.

    The further tuning of section 5.2.2. A corpus that is done makes room for the next one; none knows of the
    others, so what is best is chosen for each by itself, and the state at the beginning takes part in that.

    Args:
      config: the settings.
      lengths: corpus → samples of each clip of its training part, int ``[N]``.
      feed: of those parts.
      windows: corpus → samples of its training clips, at most; corpora that are tuned at once have the
        longest of theirs.
      tune_step: of :func:`emojax.training.steps.make_tune_step`.
      layout: of the devices.
      state: to begin at.
      schedules: how far each corpus has come; empty at the beginning.
    """

    steps_per_round = 1

    def __init__(
        self,
        config: ml_collections.ConfigDict,
        lengths: Mapping[str, np.ndarray],
        feed: Feed,
        windows: Mapping[str, int],
        tune_step: TuneStep,
        layout: Layout,
        state: EmoState,
        schedules: Mapping[str, Schedule],
    ) -> None:
        self._config, self._tune_step, self._layout = config, tune_step, layout
        self._lengths, self._feed, self._windows = lengths, feed, windows
        self._phases = {name: make_phases(config, len(own)) for name, own in lengths.items()}
        self.state, self.schedules = state, {**dict.fromkeys(lengths, Schedule()), **schedules}
        self.last_step = math.ceil(len(lengths) / config.tuned_at_once) * max(
            phases.longest for phases in self._phases.values()
        )
        self.first_look = list(lengths)
        self._begin_group()

    def _begin_group(self) -> None:
        unfinished = [name for name, phases in self._phases.items() if not phases.done(self.schedules[name])]
        self._group = unfinished[: self._config.tuned_at_once]
        numbers = {name: list(self._lengths).index(name) for name in self._group}
        self._numbers = np.array([*numbers.values()], np.int32)
        self._window = max((self._windows[name] for name in self._group), default=0)
        turns = {name: self.schedules[name].round for name in self._group}
        self.batches = prefetched(functools.partial(self._rows, turns, self._window))

    def _rows(self, turns: Mapping[str, int], window: int, later: int) -> Any:
        """What the feed sends along for a step of a group, so many after the one of these turns."""
        drawn = [self._draw(name, window, turn + later) for name, turn in turns.items()]
        return jax.block_until_ready(place(self._feed.rows(drawn, window), self._layout.rows))

    def _draw(self, name: str, window: int, turn: int) -> Draw:
        config, number = self._config, list(self._lengths).index(name)
        return draw(self._lengths[name], window, config.batch_size, config.seed, number, turn)

    @property
    def step(self) -> int:
        """Steps so far."""
        return self.state.step

    @property
    def done(self) -> bool:
        """Whether every corpus is done."""
        return not self._group

    @property
    def best_uar(self) -> float:
        """Mean over the corpora of the devel UAR of each one's best state."""
        return float(np.mean([schedule.best_uar for schedule in self.schedules.values()]))

    def close(self) -> None:
        """Stop preparing batches."""
        self.batches.close()
        del self.batches  # it holds this object, and so the clips on the device

    def train(self, rows: Any) -> tuple[Sequence[int], Sequence[str], jax.Array]:
        """One step of every corpus in the group; gives its number, and the loss of each."""
        own = [self.schedules[name] for name in self._group]
        rates = [self._phases[name].rate(one) for name, one in zip(self._group, own, strict=True)]
        corpora, losses = self._tune_step(
            self.state.shared,
            tuple(self.state.corpora[name] for name in self._group),
            self._feed.data,
            rows,
            self._numbers,
            np.array([one.round for one in own], np.int32),
            np.array(rates, np.float32),
            window=self._window,
        )
        tuned = dict(zip(self._group, corpora, strict=True))
        self.state = EmoState(self.state.shared, {**self.state.corpora, **tuned}, self.state.step + 1)
        self.schedules |= {name: self.schedules[name].next_round() for name in self._group}
        return [self.step - 1] * len(self._group), self._group, losses

    def clips_of(self, step: int, name: str) -> np.ndarray:
        """The clips of a step since the last look, of one corpus: indices into its training part."""
        return self._draw(name, self._window, self.schedules[name].round - (self.step - step)).clips

    def due(self) -> list[str]:
        """The corpora whose devel part is to be looked at now."""
        return [name for name in self._group if self._phases[name].evaluates(self.schedules[name])]

    def judge(self, uars: Mapping[str, float]) -> Verdict:
        """Move the schedules on, given the devel UAR of some corpora."""
        before = dict(self.schedules)
        names = [name for name in self._lengths if name in uars]
        self.schedules |= {name: self._phases[name].evaluated(before[name], uars[name]) for name in names}
        after = self.schedules
        if any(self._phases[name].done(after[name]) for name in names):
            self.batches.close()
            self._begin_group()
        best = {name: schedule.best_uar for name, schedule in after.items()}
        return Verdict(
            [name for name in names if after[name].best_uar > before[name].best_uar],
            [name for name in self._group if after[name].phase > before[name].phase],
            {**best, "mean": self.best_uar},
        )
