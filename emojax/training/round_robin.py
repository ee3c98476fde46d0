"""Round-robin training of several corpora with one trunk, or of each over a frozen trunk."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Mapping, Sequence

import jax
import numpy as np

from emojax.config import Config
from emojax.data.feeds import Feed, prefetched
from emojax.data.sampling import ClipIndices, sample_clips
from emojax.data.sampling_schedule import SYNCHRONOUS, corpus_weights, turn_of
from emojax.sharding import Layout, place
from emojax.training.schedule import EvalDecision, Phases, Schedule, Schedules, make_phases
from emojax.training.train_state import Corpus, EmoState
from emojax.training.train_step import Plan, TrainSteps, stack_corpora, unstack_corpora

ALL = "all"  # name of the schedule of all corpora
# Most steps in a call of several rounds; Ctrl-C waits for the end of a call.
_MOST_STEPS = 32


@dataclasses.dataclass(frozen=True)
class Call:
    """Successive steps of one jitted call.

    Attributes:
      corpora: the corpus of each step.
      plans: stack of corpora → plan of the steps on them.
    """

    corpora: Sequence[str]
    plans: Mapping[int, Plan]


@dataclasses.dataclass(frozen=True)
class Group:
    """Corpora that are trained in turn, by one schedule.

    Attributes:
      name: name of the schedule.
      order: indices of the corpora, in the order of their turns.
      first_step: the run's step at which the group begins.
      first_key: number of the first step's random key; it does not depend on the steps that earlier
        groups took.
    """

    name: str
    order: Sequence[int]
    first_step: int
    first_key: int


class RoundRobin:
    """Round-robin training: the corpora of a group in turn, and one group after the other.

    Corpora that train a trunk together are one group with one schedule, which follows the mean
    devel UAR (section 6.1). Over a frozen trunk each corpus is its own group, and its best state
    may be the one before the first step (section 5.2.2).

    Args:
      config: the settings.
      lengths: corpus → samples of each clip of its training part, int ``[N]``.
      feed: the feed of those training parts.
      windows: corpus → largest number of samples of a training crop.
      train_steps: the call from :func:`emojax.training.train_step.make_train_steps`, or, for
        synchronous rounds, from :func:`emojax.training.train_step.make_synchronous_rounds`.
      layout: the layout of the devices.
      state: the initial state.
      progress: name of the schedule → its progress; empty for a new run.
      strata: corpus → label and source of each clip, int ``[N, 2]``, for balanced batches.

    Attributes:
      schedules: schedules of the groups.
      batches: the arguments of the successive calls of :meth:`train`.
      step: number of steps so far.
      last_step: largest number of steps of the run.
      steps_per_round: steps that the progress bar counts as one round.
      first_evaluation: corpora to evaluate before the first step.
    """

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
        alone = config.transfer.frozen_trunk
        self._members = {name: [name] for name in lengths} if alone else {ALL: self._names}
        phases = {
            name: make_phases(config, max(sizes[one] for one in own))
            for name, own in self._members.items()
        }
        self.schedules = Schedules(phases, self._members, progress)
        self.first_evaluation: Sequence[str] = self._names if alone else ()
        self._train_steps, self._feed, self._layout = train_steps, feed, layout
        self._lengths, self._windows = [*lengths.values()], [windows[name] for name in lengths]
        self._strata = [(strata or {}).get(name) for name in lengths]
        self._weights = corpus_weights(config.train.sampling, sizes)
        self.steps_per_round = 1 if alone else len(lengths)
        self._group_steps = self.schedules.longest_rounds * self.steps_per_round
        self.last_step = len(self._members) * self._group_steps
        _check_steps(config, self.last_step)
        self._steps_per_call = self._count_steps_per_call(next(iter(phases.values())))
        self._loops = self._group_by_loop()
        self._place = {
            corpus: (stack, place)
            for stack, own in enumerate(self._loops)
            for place, corpus in enumerate(own)
        }
        self._stack = jax.jit(stack_corpora, out_shardings=layout.corpora)
        self._unstack = jax.jit(
            unstack_corpora, static_argnames="count", out_shardings=layout.everywhere
        )
        self.state = state
        self._begin_group()

    def _count_steps_per_call(self, phases: Phases) -> int:
        """Return the number of steps in a call; every evaluation is at the end of a call."""
        corpora, target = self.steps_per_round, self._layout.target
        if self._config.train.sampling == SYNCHRONOUS:
            return corpora
        if self._weights is not None or not target.whole_rounds:
            return 1
        several_loops = corpora > 1 and len({*self._windows}) > 1
        if several_loops or self._feed.sends_audio:
            return corpora
        between, most = math.gcd(phases.eval_every, phases.rounds), _MOST_STEPS // corpora
        return corpora * max((n for n in range(1, most + 1) if between % n == 0), default=1)

    def _group_by_loop(self) -> list[list[int]]:
        """Group the corpora into stacks: those of one loop, or single ones for one-step calls."""
        order = self._by_window(range(len(self._names)))
        if self._steps_per_call == 1 or len(self._members) > 1:
            return [[corpus] for corpus in order]
        return [[*group] for _, group in itertools.groupby(order, self._windows.__getitem__)]

    def _by_window(self, corpora: Sequence[int]) -> list[int]:
        """Put corpora with the same window side by side: a call has one loop per window."""
        return sorted(corpora, key=self._windows.__getitem__)

    def _begin_group(self) -> None:
        """Begin or resume the first unfinished group; the last group if all are finished."""
        [*_, last] = self._members
        self._group = self._make_group(next(iter(self.schedules.unfinished()), last))
        call = functools.partial(self._call, self._group, self._steps_done)
        self.batches = prefetched(call, self._steps_done // self._steps_per_call)

    def _make_group(self, name: str) -> Group:
        order = self._by_window([self._names.index(one) for one in self._members[name]])
        done = self.schedules.progress[name].round * self.steps_per_round
        first_step = self.step - self.step % self.steps_per_round - done
        return Group(name, order, first_step, [*self._members].index(name) * self._group_steps)

    @property
    def _steps_done(self) -> int:
        """Number of steps of the current group so far."""
        return self.step - self._group.first_step

    @property
    def state(self) -> EmoState:
        """State after the steps so far; the next call donates its arrays."""
        corpora: dict[int, Corpus] = {}
        for own, stack in zip(self._loops, self._stacks, strict=True):
            corpora |= zip(own, self._unstack(stack, count=len(own)), strict=True)
        named = {name: corpora[number] for number, name in enumerate(self._names)}
        return EmoState(self._shared, named, self.step)

    @state.setter
    def state(self, state: EmoState) -> None:
        self._shared, self.step = state.shared, state.step
        corpora = [state.corpora[name] for name in self._names]
        self._stacks = [self._stack([corpora[number] for number in own]) for own in self._loops]

    def _call(self, group: Group, done: int, number: int) -> Call:
        """Prepare a call; if a run resumes within a round, its first call is the rest of it."""
        size = self._steps_per_call
        steps = range(max(done, number * size), (number + 1) * size)
        clips = {step: self._sample(group, step) for step in steps}
        legs = itertools.groupby(clips, lambda step: self._place[clips[step].corpus][0])
        plans = {
            stack: self._plan(group, stack, {step: clips[step] for step in own})
            for stack, own in legs
        }
        return Call([self._names[one.corpus] for one in clips.values()], plans)

    def _plan(self, group: Group, stack: int, clips: Mapping[int, ClipIndices]) -> Plan:
        """Make the plan of successive steps on the corpora of a stack."""
        corpora = [self._place[one.corpus][1] for one in clips.values()]
        rows = place(self._feed.rows([*clips.values()], self._window(stack)), self._layout.rows)
        jax.block_until_ready(rows)  # this thread waits for the transfer to the device
        keys = group.first_key + np.array([*clips], np.int32)
        return Plan(keys, np.array(corpora, np.int32), rows)

    def _window(self, stack: int) -> int:
        return self._windows[self._loops[stack][0]]

    def _sample(self, group: Group, step: int) -> ClipIndices:
        """Choose the corpus of a group's step, in turn or at random, and its clips."""
        seed = self._config.data.seed
        corpus, turn = turn_of(step, group.order, self._weights, seed)
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
        """True when the last phase of every group is over."""
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
            [self._rates(plan) for plan in call.plans.values()],
            windows=tuple(map(self._window, call.plans)),
        )
        for stack, corpora in zip(call.plans, trained, strict=True):
            self._stacks[stack] = corpora
        self.step += len(call.corpora)
        self.schedules.reach(self._group.name, self._steps_done // self.steps_per_round)
        return range(self.step - len(call.corpora), self.step), call.corpora, losses

    def _rates(self, plan: Plan) -> np.ndarray:
        """Return the learning rate of each step of a plan: f32 ``[S]``."""
        rounds = (np.asarray(plan.step) - self._group.first_key) // self.steps_per_round
        rate = functools.partial(self.schedules.rate, self._group.name)
        return np.array([*map(rate, rounds.tolist())], np.float32)

    def clips_of(self, step: int) -> np.ndarray:
        """Return the clips of a step of the current group, as indices into the training part."""
        return self._sample(self._group, step - self._group.first_step).clips

    def due(self) -> list[str]:
        """Return the corpora whose devel part must be evaluated now."""
        between_rounds = self._steps_done % self.steps_per_round == 0
        return self.schedules.due(self._group.name) if between_rounds else []

    def decide(self, evaluated: Sequence[str], uars: Mapping[str, float]) -> EvalDecision:
        """Advance the schedules of the evaluated corpora; only some may have a devel UAR."""
        decision = self.schedules.decide(evaluated, uars)
        if not self.done and self._group.name not in self.schedules.unfinished():
            self.batches.close()
            self._begin_group()
        return decision


def _check_steps(config: Config, steps: int) -> None:
    """Raise a ValueError for more steps than an int32 can count."""
    rounds, most = config.schedule.rounds_per_phase, np.iinfo(np.int32).max
    if steps > most:
        raise ValueError(
            f"rounds_per_phase={rounds} are up to {steps:,} steps in all; give fewer rounds: a run "
            f"has at most {most:,} steps"
        )
