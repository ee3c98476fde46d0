"""When a phase ends."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emojax.training.schedule import Phases, Schedule, Schedules


def run(phases, uars):
    """The rounds at which devel was looked at, and the schedule at the end."""
    schedule, looks = Schedule(), []
    uars = iter(uars)
    while not phases.done(schedule):
        schedule = schedule.at_round(schedule.round + 1)
        if phases.evaluates(schedule):
            looks.append(schedule.round)
            schedule = phases.evaluated(schedule, next(uars))
    return looks, schedule


def constant(uar):
    while True:
        yield uar


def test_the_papers_three_learning_rates():
    phases = Phases((0.1, 0.01, 0.001), 1e-6, 2_500, 0, 25)
    for round_, rate in ((0, 0.1), (2_499, 0.1), (2_500, 0.01), (5_000, 0.001), (7_499, 0.001)):
        schedule = Schedule(round=round_, phase=round_ // 2_500)
        assert phases.rate(schedule) == pytest.approx(rate / (1 + 1e-6 * round_))
    looks, _ = run(phases, constant(0.5))
    assert looks == list(range(25, 7_501, 25))


def test_a_phase_ends_with_a_look_at_devel_even_if_none_is_due():
    looks, schedule = run(Phases((0.1, 0.01), 0.0, 5, 0, 4), constant(0.5))
    assert looks == [4, 5, 9, 10]
    assert schedule.began == 10


def test_patience_counts_from_the_best_or_the_beginning_of_the_phase():
    uars = [0.1, 0.3, 0.2, 0.2, 0.3, 0.2]  # equal is not better
    looks, schedule = run(Phases((0.1, 0.01), 0.0, 1_000, 20, 10), uars)
    assert looks == [10, 20, 30, 40, 50, 60]
    assert (schedule.best_uar, schedule.best_round) == (0.3, 20)


@given(
    st.lists(st.floats(0, 1), min_size=200, max_size=200),
    st.integers(1, 20),
    st.integers(0, 10),
    st.integers(1, 7),
)
@settings(deadline=None)  # a busy machine may take long for one example
def test_every_schedule_ends_and_finds_its_best(uars, rounds, patience, every):
    phases = Phases((0.1, 0.01), 0.0, rounds, patience, every)
    looks, schedule = run(phases, uars)
    assert schedule.round <= phases.longest
    assert schedule.best_uar == max(uars[: len(looks)])
    assert uars[looks.index(schedule.best_round)] == schedule.best_uar


def test_a_cosine_falls_to_zero_in_each_phase_after_the_warm_up():
    phases = Phases((0.1, 0.01), 0.0, 100, 0, 25, cosine=True, warmup_rounds=4)
    rates = [phases.rate(Schedule(round=number)) for number in range(100)]
    assert rates[:4] == pytest.approx([0.1 * (i + 1) / 4 for i in range(4)], rel=0.01)
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[4:]))
    assert rates[-1] < 1e-4
    assert phases.rate(Schedule(round=100, phase=1, began=100)) == pytest.approx(0.01)


def test_without_a_devel_part_the_latest_state_is_the_best():
    phases = Phases((0.1,), 0.0, 30, 2, 10)
    schedules = Schedules({"all": phases}, {"all": ["a", "b"]}, {})
    while schedules.unfinished():
        schedules.reach("all", schedules.progress["all"].round + 1)
        if due := schedules.due("all"):
            assert schedules.decide(due, {}).improved == ["a", "b"]
    assert schedules.progress["all"].best_round == 30
    assert schedules.best_uar is None
