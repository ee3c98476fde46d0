"""Schedule of the learning rate: a phase ends after some rounds or when devel stops improving."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from emojax.config import Config


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Progress of a schedule; saved in the checkpoint.

    Attributes:
      round: number of rounds done.
      phase: index of the learning rate in use.
      began: round in which the phase began.
      best_uar: best devel UAR so far, or mean CCC of a domain of numbers; -1 before there is one.
      best_round: round of the best devel UAR.
    """

    round: int = 0
    phase: int = 0
    began: int = 0
    best_uar: float = -1.0
    best_round: int = 0

    def at_round(self, number: int) -> Schedule:
        """Return the schedule with another number of rounds."""
        return dataclasses.replace(self, round=number)


@dataclasses.dataclass(frozen=True)
class Phases:
    """Rules of a schedule (sections 4.3 and 5.2.2).

    Attributes:
      rates: learning rate of each phase.
      decay: the rate is also divided by ``1 + decay · round``.
      rounds: rounds of a phase, at most.
      patience_rounds: a phase also ends after this many rounds without a better devel UAR; 0 for
        no such limit.
      eval_every: rounds between two evaluations.
      cosine: the rate of each phase falls to 0 along half a cosine (Loshchilov and Hutter, 2017,
        arXiv:1608.03983).
      warmup_rounds: rounds at the beginning of the first phase in which the rate rises linearly.

    >>> phases = Phases((0.1, 0.01), decay=0.0, rounds=100, patience_rounds=2, eval_every=1)
    >>> one = Schedule()
    >>> for uar in (0.5, 0.4, 0.3, 0.6):
    ...     one = phases.evaluated(one.at_round(one.round + 1), uar)
    >>> one
    Schedule(round=4, phase=1, began=3, best_uar=0.6, best_round=4)
    """

    rates: Sequence[float]
    decay: float
    rounds: int
    patience_rounds: int
    eval_every: int
    cosine: bool = False
    warmup_rounds: int = 0

    def done(self, schedule: Schedule) -> bool:
        """Return whether the last phase is over."""
        return schedule.phase == len(self.rates)

    def rate(self, schedule: Schedule) -> float:
        """Return the learning rate of the next round.

        >>> phases = Phases((0.1,), 0.0, 100, 0, 1, cosine=True, warmup_rounds=10)
        >>> [round(phases.rate(Schedule(round=number)), 3) for number in (0, 10, 50, 99)]
        [0.01, 0.098, 0.05, 0.0]
        """
        rate = self.rates[schedule.phase] / (1 + self.decay * schedule.round)
        if self.cosine:
            rate *= (1 + math.cos(math.pi * (schedule.round - schedule.began) / self.rounds)) / 2
        return rate * min(1, (schedule.round + 1) / max(1, self.warmup_rounds))

    def evaluates(self, schedule: Schedule) -> bool:
        """Return whether devel must be evaluated now."""
        rounds = schedule.round - schedule.began
        return rounds > 0 and (rounds % self.eval_every == 0 or rounds == self.rounds)

    def evaluated(self, schedule: Schedule, uar: float | None) -> Schedule:
        """Return the schedule after an evaluation on devel; this may begin the next phase.

        Without a devel part ``uar`` is None, and the latest state counts as the best.
        """
        if uar is None:
            schedule = dataclasses.replace(schedule, best_round=schedule.round)
        elif uar > schedule.best_uar:
            schedule = dataclasses.replace(schedule, best_uar=uar, best_round=schedule.round)
        idle = schedule.round - max(schedule.best_round, schedule.began)
        full = schedule.round - schedule.began >= self.rounds
        if full or 0 < self.patience_rounds <= idle:
            schedule = dataclasses.replace(schedule, phase=schedule.phase + 1, began=schedule.round)
        return schedule

    @property
    def longest(self) -> int:
        """Maximum number of rounds of all phases."""
        return self.rounds * len(self.rates)


def make_phases(config: Config, clips: int) -> Phases:
    """Make the phases; ``clips`` is the number of training clips of the largest corpus."""
    schedule, epoch_rounds = config.schedule, math.ceil(clips / config.train.batch_size)
    return Phases(
        schedule.learning_rates,
        schedule.learning_rate_decay,
        schedule.rounds_per_phase,
        schedule.patience_epochs * epoch_rounds,
        schedule.eval_every_rounds,
        schedule.cosine,
        schedule.warmup_rounds,
    )


@dataclasses.dataclass(frozen=True)
class EvalDecision:
    """Outcome of an evaluation on devel.

    Attributes:
      improved: corpora whose current state is the best so far.
      restarted: corpora that begin a phase at their best state.
    """

    improved: Collection[str]
    restarted: Collection[str]


class Schedules:
    """Schedules of a run: one for all corpora that share a trunk, or one for each corpus.

    Args:
      phases: name of a schedule → its rules.
      members: name of a schedule → the corpora that follow it.
      progress: name of a schedule → its progress in a resumed run.
    """

    def __init__(
        self,
        phases: Mapping[str, Phases],
        members: Mapping[str, Sequence[str]],
        progress: Mapping[str, Schedule],
    ) -> None:
        self._phases, self._members = phases, members
        self.progress = {**dict.fromkeys(phases, Schedule()), **progress}

    def rate(self, name: str, number: int) -> float:
        """Return the learning rate of a round of the current phase."""
        return self._phases[name].rate(self.progress[name].at_round(number))

    def reach(self, name: str, rounds: int) -> None:
        """Set the number of rounds that a schedule has done."""
        self.progress[name] = self.progress[name].at_round(rounds)

    def unfinished(self) -> list[str]:
        """Return the schedules whose last phase is not over."""
        return [
            name for name, phases in self._phases.items() if not phases.done(self.progress[name])
        ]

    def due(self, name: str) -> list[str]:
        """Return the corpora of a schedule, if their devel part must be evaluated now."""
        due = self._phases[name].evaluates(self.progress[name])
        return [*self._members[name]] if due else []

    def decide(self, evaluated: Collection[str], uars: Mapping[str, float]) -> EvalDecision:
        """Advance the schedules whose corpora were evaluated, by their mean UAR.

        Args:
          evaluated: the corpora of :meth:`due`.
          uars: devel UAR of those that have a devel part.
        """
        improved: list[str] = []
        restarted: list[str] = []
        for name, corpora in self._members.items():
            if not set(corpora) <= set(evaluated):
                continue
            before = self.progress[name]
            own = [uars[corpus] for corpus in corpora if corpus in uars]
            uar = float(np.mean(own)) if own else None
            after = self.progress[name] = self._phases[name].evaluated(before, uar)
            improved += corpora if after.best_round == before.round else []
            begins = after.phase > before.phase and not self._phases[name].done(after)
            restarted += corpora if begins else []
        return EvalDecision(improved, restarted)

    @property
    def best_uar(self) -> float | None:
        """Mean over the schedules of their best devel UAR; None before there is one."""
        best = [own.best_uar for own in self.progress.values() if own.best_uar > -1]
        return float(np.mean(best)) if best else None

    @property
    def longest_rounds(self) -> int:
        """Maximum number of rounds of a schedule."""
        return max(phases.longest for phases in self._phases.values())
