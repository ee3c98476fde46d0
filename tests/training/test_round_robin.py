"""A round in one call, as accelerators take it, is the round of so many calls."""

import dataclasses
import itertools

import pytest

from emojax.data.feeds import DeviceFeed
from emojax.inference.network import load_networks
from emojax.target import CPU
from emojax.training import loop
from emojax.training.loop import train
from emojax.training.schedule import Schedule

WHOLE_ROUNDS = dataclasses.replace(CPU, whole_rounds=True)


@pytest.fixture
def whole_rounds(monkeypatch):
    monkeypatch.setattr("emojax.sharding.target_of", lambda device: WHOLE_ROUNDS)


def test_a_round_in_one_call_trains_what_its_steps_train(
    tiny_config, tiny_paths, tmp_path, metrics, monkeypatch
):
    # Small steps, because larger ones enlarge what the two programs round differently.
    config = tiny_config.replace(learning_rates=(0.01, 0.001))
    train(config, tmp_path / "steps", tiny_paths)
    monkeypatch.setattr("emojax.sharding.target_of", lambda device: WHOLE_ROUNDS)
    train(config, tmp_path / "rounds", tiny_paths)
    theirs, ours = metrics(tmp_path / "steps"), metrics(tmp_path / "rounds")
    assert [line["step"] for line in ours] == [line["step"] for line in theirs]
    for name in ("loss/tones", "loss/levels"):
        assert ours[0][name] == pytest.approx(theirs[0][name], rel=1e-3)
        # A corpus in another's place would be another number.
        assert [line[name] for line in ours] == pytest.approx(
            [line[name] for line in theirs], rel=0.05
        )


def test_a_round_of_several_windows_trains_what_its_steps_train(
    tiny_config, tiny_paths, tmp_path, metrics, monkeypatch
):
    # In another order than the corpora's own, and with a stack for each window.
    monkeypatch.setattr(loop, "choose_windows", lambda *_: {"tones": 16_000, "levels": 10_666})
    config = tiny_config.replace(learning_rates=(0.01, 0.001))  # as above
    train(config, tmp_path / "steps", tiny_paths)
    monkeypatch.setattr("emojax.sharding.target_of", lambda device: WHOLE_ROUNDS)
    train(config, tmp_path / "rounds", tiny_paths)
    for workdir in (tmp_path / "steps", tmp_path / "rounds"):
        networks = load_networks(workdir, state="latest").networks
        classes = {name: int(network.class_mask.sum()) for name, network in networks.items()}
        assert classes == {"tones": 3, "levels": 2}
    theirs, ours = metrics(tmp_path / "steps"), metrics(tmp_path / "rounds")
    for name in ("loss/tones", "loss/levels", "devel_uar/tones", "devel_uar/levels"):
        assert ours[0][name] == pytest.approx(theirs[0][name], rel=1e-3)
        assert [line[name] for line in ours] == pytest.approx(
            [line[name] for line in theirs], rel=0.2
        )


def test_corpora_of_one_window_come_one_after_the_other(whole_rounds, begin):
    own = begin({}, windows={"tones": 16_000, "levels": 12_000})
    call = next(own.batches)
    own.close()
    assert call.corpora == ["levels", "tones"]
    assert [plan.rows.audio.shape[-1] for plan in call.plans.values()] == [12_000, 16_000]
    assert [plan.step.tolist() for plan in call.plans.values()] == [[0], [1]]


def test_corpora_that_are_drawn_have_a_call_for_each_step(whole_rounds, begin):
    # As each round has them in another order, its calls would be as many programs.
    own = begin({}, sampling="tones=3,levels=1")
    calls = list(itertools.islice(own.batches, 20))
    own.close()
    assert {len(call.corpora) for call in calls} == {1}
    assert {call.corpora[0] for call in calls} == {"tones", "levels"}


@pytest.mark.parametrize(
    ("eval_every", "rounds", "ends"),
    [
        (2, 4, [4, 8, 12]),  # as many rounds as there are between two evaluations
        (2, 3, [4, 6, 8]),  # the second evaluation is one round after the first
        (17, 34, [4, 6, 8]),  # 17 rounds would be too long
        (32, 32, [32, 64, 96]),
    ],
)
def test_a_call_ends_where_devel_may_be_evaluated(whole_rounds, begin, eval_every, rounds, ends):
    schedule = {"eval_every_rounds": eval_every, "rounds_per_phase": rounds}
    own = begin({"all": Schedule(round=1)}, done=3, feed=DeviceFeed, **schedule)
    calls = list(itertools.islice(own.batches, 3))
    own.close()
    assert calls[0].corpora == ["levels", *["tones", "levels"] * ((ends[0] - 4) // 2)]
    steps = [plan.step.tolist() for call in calls for plan in call.plans.values()]
    assert steps == [[*range(*own)] for own in itertools.pairwise([3, *ends])]


def test_a_call_that_sends_the_audio_is_one_round(whole_rounds, begin):
    own = begin({})
    calls = list(itertools.islice(own.batches, 2))
    own.close()
    assert [call.corpora for call in calls] == [["tones", "levels"]] * 2


def test_more_steps_than_random_keys_can_count_are_refused(begin):
    with pytest.raises(ValueError, match="rounds_per_phase=1000000000 are up to 6,000,000,000"):
        begin({}, rounds_per_phase=10**9)


@pytest.mark.parametrize("sampling", ["round_robin", "tones=1,levels=3"])
def test_a_step_by_itself_has_its_own_corpus_alone(sampling, begin):
    own = begin({}, sampling=sampling)
    calls = list(itertools.islice(own.batches, 8))
    own.close()
    for call in calls:
        ((stack, plan),) = call.plans.items()
        assert [["tones", "levels"][stack]] == call.corpora
        assert plan.corpus.tolist() == [0]
    assert len({call.corpora[0] for call in calls}) == 2


def test_synchronous_rounds_are_trained_and_gone_on_with(
    tiny_config, tiny_paths, tmp_path, metrics
):
    config = tiny_config.replace(sampling="synchronous", learning_rates=(0.1,))
    state = train(config, tmp_path, tiny_paths)
    assert state.step == 8
    assert [line["step"] for line in metrics(tmp_path)] == [4, 8]
    assert train(config, tmp_path, tiny_paths).step == 8
