import json
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from emojax.corpora.partitions import make_partition
from emojax.data.prepared import find_corpora
from emojax.evaluation.comparison import predictions_of
from emojax.experiments.shots.run import Task, run
from emojax.experiments.shots.systems import network_answers

ROOT = Path(__file__).parents[3]
NONE = ("0", "0, norms")


@pytest.fixture
def task(tiny_config, of_tones, words, settings_file, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)

    def make(system, shots, file="", base=""):
        config = settings_file(file) if file else ""
        places = Path(tiny_config.paths.data_dir), tmp_path / system
        return Task(system, "levels", "fold:1/3", 0, shots, config, base, words, *places)

    return make


def read(task, place):
    return json.loads((task.out / place / "results.json").read_text("utf-8"))


def test_a_model_answers_before_and_after_it_learns_and_goes_on_where_it_was(task, of_tones):
    adapt = task("adapt", (*NONE, "1", "all"), "adapt", str(of_tones))
    run(adapt, "typed")
    places = ["shots_0", "shots_0_norms", "shots_1", "shots_all"]
    found = {place: read(adapt, place) for place in places}
    assert [one["learnt_clips"] for one in found.values()][2:] == [2, 18]
    assert {one["corpora"]["levels"]["n"] for one in found.values()} == {12}
    assert found["shots_1"]["config"]["partition"] == "fold:1/3"
    tables = [predictions_of(adapt.out / place)["levels"] for place in places]
    assert all([*one] == [*tables[0]] for one in tables)
    assert len({str([*one.values()]) for one in tables}) == len(tables)
    shutil.rmtree(adapt.out / "shots_1")
    before = (adapt.out / "shots_all" / "results.json").stat().st_mtime_ns
    run(adapt, "typed again")
    assert read(adapt, "shots_1")["command"] == "typed again"
    assert predictions_of(adapt.out / "shots_1")["levels"] == tables[2]
    assert (adapt.out / "shots_all" / "results.json").stat().st_mtime_ns == before


def test_batches_are_balanced_over_labels_and_speakers_if_asked(
    tiny_config, tiny_paths, monkeypatch
):
    (corpus,) = find_corpora(["levels"], Path(tiny_config.paths.data_dir)).values()
    fold = make_partition(corpus.spec, corpus.clips, "fold:1/3", 0)

    def strata(balanced):
        learn = mock.Mock(side_effect=InterruptedError)
        monkeypatch.setattr("emojax.experiments.shots.systems.learn", learn)
        config = tiny_config.replace(balance_speakers=balanced)
        with pytest.raises(InterruptedError):
            next(network_answers(corpus, {"all": fold}, config))
        return learn.call_args.args[2].strata

    train = [corpus.clips[i] for i in fold.parts["train"]]
    assert strata(False) is None
    assert len({*map(tuple, strata(True))}) == len({(clip.label, clip.speaker) for clip in train})


def test_the_command_trains_a_network_from_scratch_on_the_same_clips(task):
    scratch = task("scratch", ("1",), "scratch")
    given = {**vars(scratch), "shots": "1"}
    command = ["-m", "emojax.experiments.shots", *(f"--{k}={v}" for k, v in given.items())]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("levels, 1: UAR ")
    assert read(scratch, "shots_1")["learnt_clips"] == 2
    assert not scratch.settings()["adapters"]


def test_an_svm_learns_from_a_clip_a_label(task, tiny_config, monkeypatch):
    class Features:
        def read(self, corpus, folder):
            return np.random.default_rng(0).normal(size=(len(corpus.clips), 5))

    monkeypatch.setattr("emojax.experiments.shots.run.open_features", lambda name: Features())
    svm = task("egemaps", ("1", "all"))
    run(svm, "typed")
    rows = predictions_of(svm.out / "shots_1")["levels"].values()
    assert {row.prediction for row in rows} <= {"loud", "soft"}
    assert all(sum(row.probabilities.values()) == pytest.approx(1, abs=1e-5) for row in rows)
    assert read(svm, "shots_all")["config"]["features"] == "egemaps"
