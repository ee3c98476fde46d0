"""Round-robin training of several corpora with one trunk."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from emojax.config import Config
from emojax.data.feeds import Feed, prefetched
from emojax.data.sampling import ClipIndices, sample_clips
from emojax.data.sampling_schedule import SYNCHRONOUS, corpus_weights, turn_of
from emojax.sharding import Layout, place
from emojax.training.schedule import EvalDecision, Schedule, Schedules, make_phases
from emojax.training.train_state import Corpus, EmoState
from emojax.training.train_step import Plan, TrainSteps, stack_corpora, unstack_corpora

ALL = "all"  # name of the schedule of all corpora


@dataclasses.dataclass(frozen=True)
class Call:
    """Successive steps of one jitted call.

    Attributes:
      corpora: the corpus of each step.
      plans: stack of corpora → plan of the steps on them.
    """

    corpora: Sequence[str]
    plans: Mapping[int, Plan]


class RoundRobin:
    """Round-robin training with one trunk and one schedule, by mean devel UAR (section 6.1).

    Args:
      config: the settings.
      lengths: corpus → samples of each clip of its training part, int ``[N]``.
      feed: the feed of those training parts.
      windows: corpus → samples of its training clips, at most.
      train_steps: the call from :func:`emojax.training.train_step.make_train_steps`, or, for
        synchronous rounds, from :func:`emojax.training.train_step.make_synchronous_rounds`.
      layout: the layout of the devices.
      state: the initial state.
      progress: name of the schedule → its progress; empty for a new run.
      strata: corpus → label and source of each clip, int ``[N, 2]``, for balanced batches.
    """

    first_evaluation: Sequence[str] = ()

    def __init__(
        self,
        config: Config,
        lengths: Mapping[str, np.ndarray],
        feed: Feed,
        windows: Mapping[str, int],
        train_steps: TrainSteps,
        layout: Layout,
        state: EmoState,
        progress: Mapping[str, Schedule],
        strata: Mapping[str, np.ndarray | None] | None = None,
    ) -> None:
        sizes = {name: len(own) for name, own in lengths.items()}
        self._names, self._config = list(lengths), config
        phases = make_phases(config, max(sizes.values()))
        self.schedules = Schedules({ALL: phases}, {ALL: self._names}, progress)
        self._train_steps, self._feed, self._layout = train_steps, feed, layout
        self._lengths, self._windows = [*lengths.values()], [windows[name] for name in lengths]
        self._strata = [(strata or {}).get(name) for name in lengths]
        self._weights = corpus_weights(config.train.sampling, sizes)
        # Corpora with the same window are successive: a call has one loop per window, no branches.
        self._order = sorted(range(len(lengths)), key=self._windows.__getitem__)
        self._steps_per_call = self._count_steps_per_call()
        self._members = self._group_by_loop()
        self._place = {
            corpus: (stack, place)
            for stack, members in enumerate(self._members)
            for place, corpus in enumerate(members)
        }
        self._stack = jax.jit(stack_corpora, out_shardings=layout.corpora)
        self._unstack = jax.jit(
            unstack_corpora, static_argnames="count", out_shardings=layout.everywhere
        )
        self.state = state
        self.steps_per_round = len(lengths)
        self.last_step = phases.longest * len(lengths)
        call = functools.partial(self._call, state.step)
        self.batches = prefetched(call, state.step // self._steps_per_call)

    def _count_steps_per_call(self) -> int:
        """Return the steps of a call: a round if its corpus order is fixed, else one."""
        corpora = len(self._names)
        if self._config.train.sampling == SYNCHRONOUS:
            return corpora
        return self._layout.target.steps_per_call(corpora) if self._weights is None else 1

    def _group_by_loop(self) -> list[list[int]]:
        """Group the corpora into stacks: those of one loop, or single ones for one-step calls."""
        if self._steps_per_call == 1:
            return [[corpus] for corpus in self._order]
        return [[*group] for _, group in itertools.groupby(self._order, self._windows.__getitem__)]

    @property
    def state(self) -> EmoState:
        """State after the steps so far; the next call donates its arrays."""
        corpora: dict[int, Corpus] = {}
        for members, stack in zip(self._members, self._stacks, strict=True):
            corpora |= zip(members, self._unstack(stack, count=len(members)), strict=True)
        named = {name: corpora[number] for number, name in enumerate(self._names)}
        return EmoState(self._shared, named, self.step)

    @state.setter
    def state(self, state: EmoState) -> None:
        self._shared, self.step = state.shared, state.step
        corpora = [state.corpora[name] for name in self._names]
        self._stacks = [
            self._stack([corpora[number] for number in members]) for members in self._members
        ]

    def _call(self, first_step: int, number: int) -> Call:
        """Prepare a call; a run that resumes within a round first takes the rest of that round."""
        size = self._steps_per_call
        steps = range(max(first_step, number * size), (number + 1) * size)
        clips = {step: self._sample(step) for step in steps}
        legs = itertools.groupby(clips, lambda step: self._place[clips[step].corpus][0])
        plans = {
            stack: self._plan(stack, {step: clips[step] for step in own}) for stack, own in legs
        }
        return Call([self._names[one.corpus] for one in clips.values()], plans)

    def _plan(self, stack: int, clips: Mapping[int, ClipIndices]) -> Plan:
        """Make the plan of successive steps on the corpora of a stack."""
        corpora = [self._place[one.corpus][1] for one in clips.values()]
        rows = place(self._feed.rows([*clips.values()], self._window(stack)), self._layout.rows)
        jax.block_until_ready(rows)  # this thread waits for the transfer to the device
        return Plan(np.array([*clips], np.int32), np.array(corpora, np.int32), rows)

    def _window(self, stack: int) -> int:
        return self._windows[self._members[stack][0]]

    def _sample(self, step: int) -> ClipIndices:
        """Choose the clips of a step: its corpus is next in turn (section 6.1) or drawn."""
        seed = self._config.data.seed
        corpus, turn = turn_of(step, self._order, self._weights, seed)
        return sample_clips(
            self._lengths[corpus],
            self._windows[corpus],
            self._config.train.batch_size,
            seed,
            corpus,
            turn,
            self._strata[corpus],
        )

    @property
    def done(self) -> bool:
        """True when the last phase is over."""
        return not self.schedules.unfinished()

    def close(self) -> None:
        """Stop preparing batches."""
        self.batches.close()
        del self.batches  # it refers to this object, and so to the clips on the device

    def train(self, call: Call) -> tuple[Sequence[int], Sequence[str], jax.Array]:
        """Take the steps of a call; return the number, the corpus and the loss of each."""
        self._shared, trained, losses = self._train_steps(
            self._shared,
            [self._stacks[stack] for stack in call.plans],
            self._feed.data,
            [*call.plans.values()],
            self.schedules.rate(ALL),
            windows=tuple(map(self._window, call.plans)),
        )
        for stack, corpora in zip(call.plans, trained, strict=True):
            self._stacks[stack] = corpora
        self.step += len(call.corpora)
        if self._between_rounds:
            self.schedules.next_round([ALL])
        return range(self.step - len(call.corpora), self.step), call.corpora, losses

    def clips_of(self, step: int, name: str) -> np.ndarray:
        """Return a step's clips as indices into the training part of its corpus, ``name``."""
        return self._sample(step).clips

    def due(self) -> list[str]:
        """Return the corpora whose devel part must be evaluated now."""
        return self.schedules.due([ALL]) if self._between_rounds else []

    def decide(self, evaluated: Sequence[str], uars: Mapping[str, float]) -> EvalDecision:
        """Advance the schedule, given the devel UAR of each corpus that has a devel part."""
        return self.schedules.decide(evaluated, uars)

    @property
    def _between_rounds(self) -> bool:
        return self.step % self.steps_per_round == 0
