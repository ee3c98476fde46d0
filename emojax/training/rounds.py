"""Rounds of a shared network: the corpora in turn, all with one trunk."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Collection, Mapping, Sequence

import jax
import ml_collections
import numpy as np

from emojax.data.feeds import Feed
from emojax.data.prefetch import prefetched
from emojax.data.sampling import Draw, draw
from emojax.data.turns import SYNCHRONOUS, corpus_weights, turn_of
from emojax.training.devices import Layout, place
from emojax.training.schedule import Phases, Schedule
from emojax.training.state import Corpus, EmoState
from emojax.training.steps import Plan, TrainSteps, stack_corpora, unstack_corpora

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


@dataclasses.dataclass(frozen=True)
class Call:
    """Successive steps that one call takes.

    Attributes:
      corpora: the corpus of each.
      plans: stack of corpora → what the device is told of the steps on them.
    """

    corpora: Sequence[str]
    plans: Mapping[int, Plan]


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
      lengths: corpus → samples of each clip of its training part, int ``[N]``.
      feed: of those parts.
      windows: corpus → samples of its training clips, at most.
      train_steps: of :func:`emojax.training.steps.make_train_steps`, or, for synchronous rounds, of
        :func:`emojax.training.steps.make_synchronous_rounds`.
      layout: of the devices.
      state: to begin at.
      schedules: how far it has come; empty at the beginning.
    """

    def __init__(
        self,
        config: ml_collections.ConfigDict,
        lengths: Mapping[str, np.ndarray],
        feed: Feed,
        windows: Mapping[str, int],
        train_steps: TrainSteps,
        layout: Layout,
        state: EmoState,
        schedules: Mapping[str, Schedule],
    ) -> None:
        sizes = {name: len(own) for name, own in lengths.items()}
        self._config, self._phases = config, make_phases(config, max(sizes.values()))
        self._train_steps, self._names, self._feed = train_steps, list(lengths), feed
        self._lengths, self._windows = [*lengths.values()], [windows[name] for name in lengths]
        self._layout = layout
        self._weights = corpus_weights(config.sampling, sizes)
        # Corpora of one window come one after the other: a call has a loop for each, and no branches.
        self._order = sorted(range(len(lengths)), key=self._windows.__getitem__)
        self._steps_per_call = self._count_steps_per_call()
        # The corpora of a loop are stacked; a step by itself then has nothing to find among the others.
        self._members = [[corpus] for corpus in self._order]
        if self._steps_per_call > 1:
            grouped = itertools.groupby(self._order, self._windows.__getitem__)
            self._members = [[*group] for _, group in grouped]
        self._place = {
            corpus: (stack, place)
            for stack, members in enumerate(self._members)
            for place, corpus in enumerate(members)
        }
        self._stack = jax.jit(stack_corpora, out_shardings=layout.corpora)
        self._unstack = jax.jit(unstack_corpora, static_argnames="count", out_shardings=layout.everywhere)
        self.state, self.schedules = state, {ALL: Schedule(), **schedules}
        self.steps_per_round = len(lengths)
        self.last_step = self._phases.longest * len(lengths)
        self.first_look: list[str] = []
        call = functools.partial(self._call, state.step)
        self.batches = prefetched(call, state.step // self._steps_per_call)

    @property
    def state(self) -> EmoState:
        """The run after the steps so far; the next call takes its arrays."""
        corpora: dict[int, Corpus] = {}
        for members, stack in zip(self._members, self._stacks, strict=True):
            corpora |= zip(members, self._unstack(stack, count=len(members)), strict=True)
        named = {name: corpora[number] for number, name in enumerate(self._names)}
        return EmoState(self._shared, named, self.step)

    @state.setter
    def state(self, state: EmoState) -> None:
        self._shared, self.step = state.shared, state.step
        corpora = [state.corpora[name] for name in self._names]
        self._stacks = [self._stack([corpora[number] for number in members]) for members in self._members]

    def _call(self, first_step: int, number: int) -> Call:
        """What a call is given; a run that goes on in the middle of a round has the rest of that first."""
        size = self._steps_per_call
        steps = range(max(first_step, number * size), (number + 1) * size)
        drawn = {step: self._draw(step) for step in steps}
        legs = itertools.groupby(drawn, lambda step: self._place[drawn[step].corpus][0])
        plans = {stack: self._plan(stack, {step: drawn[step] for step in own}) for stack, own in legs}
        return Call([self._names[draw.corpus] for draw in drawn.values()], plans)

    def _plan(self, stack: int, drawn: Mapping[int, Draw]) -> Plan:
        """What the device is told of successive steps on the corpora of a stack."""
        corpora = [self._place[draw.corpus][1] for draw in drawn.values()]
        rows = place(self._feed.rows([*drawn.values()], self._window(stack)), self._layout.rows)
        jax.block_until_ready(rows)  # in this thread: what is still on its way to the device is not there
        return Plan(np.array([*drawn], np.int32), np.array(corpora, np.int32), rows)

    def _window(self, stack: int) -> int:
        return self._windows[self._members[stack][0]]

    def _draw(self, step: int) -> Draw:
        """The clips of a step: of each corpus in turn (section 6.1), or of corpora as drawn."""
        config = self._config
        corpus, turn = turn_of(step, self._order, self._weights, config.seed)
        return draw(
            self._lengths[corpus], self._windows[corpus], config.batch_size, config.seed, corpus, turn
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
        del self.batches  # it holds this object, and so the clips on the device

    def train(self, call: Call) -> tuple[Sequence[int], Sequence[str], jax.Array]:
        """The steps of a call; gives the number, the corpus and the loss of each."""
        rate = self._phases.rate(self.schedules[ALL])
        self._shared, trained, losses = self._train_steps(
            self._shared,
            [self._stacks[stack] for stack in call.plans],
            self._feed.data,
            [*call.plans.values()],
            rate,
            windows=tuple(map(self._window, call.plans)),
        )
        for stack, corpora in zip(call.plans, trained, strict=True):
            self._stacks[stack] = corpora
        self.step += len(call.corpora)
        if self._between_rounds:
            self.schedules = {ALL: self.schedules[ALL].next_round()}
        return range(self.step - len(call.corpora), self.step), call.corpora, losses

    def clips_of(self, step: int, name: str) -> np.ndarray:
        """The clips of a step, whose corpus is ``name``: indices into that corpus's training part."""
        return self._draw(step).clips

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

    def _count_steps_per_call(self) -> int:
        """A round where the order of its corpora is known, so that each call is the same program."""
        corpora = len(self._names)
        if self._config.sampling == SYNCHRONOUS:
            return corpora
        return steps_per_call(corpora) if self._weights is None else 1

    @property
    def _between_rounds(self) -> bool:
        return self.step % self.steps_per_round == 0


def steps_per_call(corpora: int) -> int:
    """Steps in a jitted call, of corpora in turn: a round, so that a fast device never waits for Python.

    One on CPUs, whose programs are slower inside of loops: 2.2 s a step instead of 0.9 s (see
    ``docs/performance.md``), and where one step takes long enough by itself.
    """
    return 1 if jax.default_backend() == "cpu" else corpora
