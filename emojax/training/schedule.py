"""When the learning rate falls and training ends: after so many rounds, or when devel stops improving."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Schedule:
    """How far a training has come; kept in the checkpoint.

    Attributes:
      round: rounds done.
      phase: number of the learning rate in use.
      began: round at which the phase began.
      best_uar: on devel, so far.
      best_round: where that was.
    """

    round: int = 0
    phase: int = 0
    began: int = 0
    best_uar: float = -1.0
    best_round: int = 0

    def next_round(self) -> Schedule:
        """The schedule, a round later."""
        return dataclasses.replace(self, round=self.round + 1)


@dataclasses.dataclass(frozen=True)
class Phases:
    """The rules of a schedule (sections 4.3 and 5.2.2).

    Attributes:
      rates: learning rate of each phase.
      decay: the rate is also divided by ``1 + decay · round``.
      rounds: of a phase, at most.
      patience_rounds: a phase also ends so many rounds after its beginning or the last better devel UAR,
        whichever is later; 0 for never.
      eval_every: rounds between two looks at devel.

    >>> phases = Phases((0.1, 0.01), decay=0.0, rounds=100, patience_rounds=2, eval_every=1)
    >>> one = Schedule()
    >>> for uar in (0.5, 0.4, 0.3, 0.6):
    ...     one = phases.evaluated(one.next_round(), uar)
    >>> one
    Schedule(round=4, phase=1, began=3, best_uar=0.6, best_round=4)
    """

    rates: Sequence[float]
    decay: float
    rounds: int
    patience_rounds: int
    eval_every: int

    def done(self, schedule: Schedule) -> bool:
        """Whether the last phase is over."""
        return schedule.phase == len(self.rates)

    def rate(self, schedule: Schedule) -> float:
        """The learning rate of the next round."""
        return self.rates[schedule.phase] / (1 + self.decay * schedule.round)

    def evaluates(self, schedule: Schedule) -> bool:
        """Whether devel is looked at now."""
        rounds = schedule.round - schedule.began
        return rounds > 0 and (rounds % self.eval_every == 0 or rounds == self.rounds)

    def evaluated(self, schedule: Schedule, uar: float) -> Schedule:
        """The schedule after a look at devel; the next phase may have begun."""
        if uar > schedule.best_uar:
            schedule = dataclasses.replace(schedule, best_uar=uar, best_round=schedule.round)
        idle = schedule.round - max(schedule.best_round, schedule.began)
        full = schedule.round - schedule.began >= self.rounds
        if full or 0 < self.patience_rounds <= idle:
            schedule = dataclasses.replace(schedule, phase=schedule.phase + 1, began=schedule.round)
        return schedule

    @property
    def longest(self) -> int:
        """Rounds of all phases, at most."""
        return self.rounds * len(self.rates)
