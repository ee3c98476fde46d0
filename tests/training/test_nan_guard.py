"""A loss that is not finite names its corpus, step and clips, and the last good checkpoint."""

import itertools
import re

import numpy as np
import pytest

from emojax.checkpoints import read_manifest
from emojax.data.partitioned import open_corpora
from emojax.data.sampling import drawn_clips
from emojax.training import loop
from emojax.training.loop import train
from emojax.training.round_robin import RoundRobin
from emojax.training.schedule import Schedule


@pytest.fixture
def exploding(tiny_config):
    """The second phase, which begins after eight steps, explodes."""
    return tiny_config.replace(learning_rates=(0.1, 1e38))


def test_the_run_stops_and_names_everything(exploding, tiny_paths, tmp_path):
    with pytest.raises(FloatingPointError) as error:
        train(exploding, tmp_path, tiny_paths)
    message = str(error.value)
    name, step = re.search(r"the loss of (\w+) is not finite in step (\d+)", message).groups()
    # The first loss after the first step that explodes, of the other corpus.
    assert (name, step) == ("levels", "10")
    corpus = open_corpora(tiny_paths, **vars(exploding.data))[name]
    part = corpus.partition.parts["train"]
    drawn = part[drawn_clips(len(part), exploding.train.batch_size, 4, (exploding.data.seed, 1, 0))]
    files = (tmp_path / "not_finite.txt").read_text().splitlines()
    assert files == [corpus.clips[index].file for index in drawn]
    assert ", ".join(files[:3]) in message
    saved = tmp_path / "checkpoints" / "8"
    assert f"the last good checkpoint is of step 8: {saved};" in message
    assert read_manifest(tmp_path)["step"] == 8


def test_the_best_state_is_saved_before_the_run_stops(
    tiny_config, tiny_paths, tmp_path, monkeypatch
):
    # Evaluations after rounds 2 and 4, of which the second is the best; only the first one was
    # saved.
    uars = iter([0.4, 0.6])
    monkeypatch.setattr(loop, "devel_uars", lambda _, __, devel: dict.fromkeys(devel, next(uars)))
    config = tiny_config.replace(rounds_per_phase=8, learning_rates=(0.1,))
    train_step = RoundRobin.train

    def exploding(self, call):
        steps, names, losses = train_step(self, call)
        return steps, names, losses * np.nan if steps[0] >= 8 else losses

    monkeypatch.setattr(RoundRobin, "train", exploding)
    with pytest.raises(FloatingPointError, match="last good checkpoint is of step 8"):
        train(config, tmp_path, tiny_paths)
    saved = read_manifest(tmp_path)
    assert (saved["best_step"], saved["devel_uar"]["mean"]) == (8, 0.6)


def test_before_the_first_checkpoint_none_is_named(exploding, tiny_paths, tmp_path):
    with pytest.raises(FloatingPointError, match=r"in step 2, .* none is saved"):
        train(exploding.replace(learning_rates=(1e38,)), tmp_path, tiny_paths)
    assert not list((tmp_path / "checkpoints").glob("[0-9]*"))


@pytest.mark.parametrize("sampling", ["round_robin", "tones=3,levels=1"])
def test_the_clips_of_a_step_are_those_that_it_was_given(sampling, begin, parts):
    rounds = begin({}, sampling=sampling)
    for number, call in enumerate(itertools.islice(rounds.batches, 12)):
        [name] = call.corpora
        [plan] = call.plans.values()
        check(plan.rows, 0, parts[name], rounds.clips_of(number))
    rounds.close()


def test_so_are_those_of_a_tuned_corpus(begin, parts):
    # The first corpus is done after three of at most four rounds.
    progress = {"tones": Schedule(round=3, phase=1), "levels": Schedule(round=1)}
    tuning = {"transfer": "adapters", "base": "runs/base", "learning_rates": (0.1,)}
    rounds = begin(progress, done=4, **tuning)
    for number, call in enumerate(itertools.islice(rounds.batches, 3)):
        assert call.corpora == ["levels"]
        [plan] = call.plans.values()
        check(plan.rows, 0, parts["levels"], rounds.clips_of(4 + number))
    rounds.close()


def check(rows, place, part, clips):
    np.testing.assert_array_equal(rows.label[place], part.labels[clips])
    np.testing.assert_array_equal(rows.length[place], np.minimum(part.lengths[clips], 16_000))
