"""Columns of a table from the CSV to an answer: words and numbers, with one copy of the audio."""

import csv
import json

import numpy as np
import pytest
import soundfile

import datasets
import emojax
from emojax.baselines.feature_sets import FeatureSet
from emojax.baselines.pipeline import Baseline
from emojax.baselines.pipeline import evaluate as evaluate_baseline
from emojax.checkpoints import read_manifest
from emojax.commands.__main__ import main
from emojax.data.partitioned import open_corpora
from emojax.data.prepared import all_in_memory
from emojax.evaluation.evaluator import evaluate
from emojax.evaluation.number_files import read_numbers
from emojax.export.hub import export_hub
from emojax.export.portable import load_portable
from emojax.inference.answer import Numbers
from emojax.timeline.timeline import make_timeline
from emojax.training import loop
from tests.training.test_resume import trees_of

COLUMNS = "calls:label,calls:register,calls:pitch+level,calls:level"
DOMAINS = ["calls", "calls-register", "calls-pitch-level", "calls-level"]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV with two columns of words and two of numbers, one of them with gaps."""
    folder, random = tmp_path_factory.mktemp("calls"), np.random.default_rng(0)
    rows = []
    for number in range(40):
        pitch_hz, level = random.uniform(200, 3000), random.uniform(0.05, 0.4)
        time_s = np.arange(int(16_000 * random.uniform(0.15, 0.25))) / 16_000
        tone = level * np.sin(2 * np.pi * pitch_hz * time_s) + random.normal(0, 0.01, len(time_s))
        soundfile.write(folder / f"{number}.wav", tone, 16_000)
        register = "high" if pitch_hz > 1600 else "low"
        pitch = f"{pitch_hz:.1f}" if number % 8 else ""
        label = ["odd", "even"][number % 2]
        rows.append((f"{number}.wav", label, f"s{number % 5}", register, pitch, f"{level:.4f}"))
    with open(folder / "labels.csv", "w", newline="") as file:
        head = ("file", "label", "speaker", "register", "pitch", "level")
        csv.writer(file).writerows([head, *rows])
    return folder / "labels.csv"


@pytest.fixture(scope="module")
def config(table, tiny_config, tmp_path_factory):
    return tiny_config.replace(
        corpora=f"calls={table}",
        data_dir=str(tmp_path_factory.mktemp("data")),
        columns=COLUMNS,
        window_s=0.2,
        rounds_per_phase=2,
        eval_every_rounds=1,
        learning_rates=(0.05,),
    )


@pytest.fixture(scope="module")
def paths(config):
    return datasets.prepare(**vars(config.paths))


@pytest.fixture(scope="module")
def run(config, paths, tmp_path_factory):
    workdir = tmp_path_factory.mktemp("run")
    loop.train(config, workdir, paths)
    return workdir


def test_the_audio_is_there_once(config, paths):
    corpora = open_corpora(paths, **vars(config.data))
    assert list(corpora) == DOMAINS
    assert len([*paths["calls"].glob("*.array_record*")]) == 1
    assert len({id(one.sources[0]) for one in corpora.values()}) == 1
    memory = all_in_memory({name: one.stored("train") for name, one in corpora.items()})
    clips = {id(clip) for part in memory.values() for clip in part.samples}
    assert len(clips) == len(memory["calls"]) > len(memory["calls-pitch-level"])
    assert "without a value and left out: 5 of 40" in corpora[DOMAINS[2]].partition.protocol


def test_a_column_that_is_added_decodes_nothing_anew(table, config, paths, tmp_path):
    (records,) = paths["calls"].glob("*.array_record*")
    before = records.stat().st_mtime_ns
    (paths["calls"] / "columns.csv").unlink()
    datasets.prepare(**vars(config.paths))
    assert (paths["calls"] / "columns.csv").exists()
    assert records.stat().st_mtime_ns == before


def test_words_and_numbers_are_learnt_side_by_side(run, metrics):
    last = metrics(run)[-1]
    assert {f"loss/{name}" for name in DOMAINS} <= set(last)
    assert {"devel_uar/calls", "devel_ccc/calls-level", "devel_ccc/calls-pitch-level"} <= set(last)
    manifest = read_manifest(run)
    assert set(manifest["numbers"]) == set(DOMAINS[2:])
    assert set(manifest["devel_uar"]) == {*DOMAINS, "mean"}


def test_a_run_that_was_stopped_ends_bitwise_as_one_that_was_not(
    config, paths, run, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(loop, "_stops", lambda _, evaluated: evaluated)
        with pytest.raises(KeyboardInterrupt, match="goes on from here"):
            loop.train(config, tmp_path, paths)
    loop.train(config, tmp_path, paths)
    for kind in ("latest", "best"):
        ours, theirs = trees_of(tmp_path, kind), trees_of(run, kind)
        assert ours.keys() == theirs.keys()
        for name, tree in ours.items():
            np.testing.assert_equal(tree, theirs[name])


def test_what_is_scored_is_what_is_answered(run, table, metrics):
    devel = {one.corpus: one for one in evaluate(run, "devel")}
    best = json.loads((run / "devel" / "results.json").read_text())["devel_uar"]
    assert devel["calls-level"].mean_ccc == pytest.approx(best["calls-level"], abs=1e-5)
    results = evaluate(run)
    assert [one.corpus for one in results] == DOMAINS
    assert [own.column for own in results[2].columns] == ["pitch", "level"]
    rows = [row for row in read_numbers(run / "numbers.csv") if row.corpus == DOMAINS[2]]
    with open(table, newline="") as file:
        truth = {row["file"]: row for row in csv.DictReader(file)}
    model = emojax.load(run, corpus=DOMAINS[2])
    answer = model.predict(table.parent / rows[0].file)
    assert isinstance(answer, Numbers)
    for row in rows[:2]:
        assert row.truth == float(truth[row.file][row.column])
        assert answer[row.column] == pytest.approx(row.prediction, rel=1e-4)
    with pytest.raises(AttributeError, match=r"numbers \(pitch, level\), without a label"):
        _ = answer.label
    assert list(model.predict(table.parent / rows[0].file, labels=["level"])) == ["level"]
    assert emojax.load(run, corpus="calls-register").predict(table.parent / "0.wav").label in (
        "high",
        "low",
    )


def test_the_shell_writes_the_numbers(run, table, capsys):
    sound = str(table.parent / "0.wav")
    asked = ["predict", sound, f"--model={run}", "--corpus=calls-level"]
    assert not main([*asked, "--out=csv"])
    head, row = capsys.readouterr().out.splitlines()
    assert head == "file,level,warning,error"
    assert np.isfinite(float(row.split(",")[1]))
    assert not main(asked)
    assert "  level " in capsys.readouterr().out


def test_what_shows_labels_refuses_numbers(run, table, tmp_path):
    model = emojax.load(run, corpus="calls-level")
    with pytest.raises(ValueError, match=r"calls-level answers with numbers \(level\)"):
        make_timeline(model, table.parent / "0.wav")
    with pytest.raises(ValueError, match="only corpora with labels can be exported"):
        load_portable(str(run), "calls-level")
    with pytest.raises(ValueError, match="which a published model does not"):
        export_hub(str(run), tmp_path / "model")


def test_other_columns_are_another_run(config, paths, run):
    with pytest.raises(ValueError, match=r"config\.columns"):
        loop.train(config.replace(columns="calls:label"), run, paths)


def told(corpus, cache_dir):
    """Features that tell a clip's level, among noise."""
    level = [float(corpus.columns[clip.file]["level"]) for clip in corpus.clips]
    return np.stack([level, np.random.default_rng(0).normal(size=len(level))], axis=1)


TELLING = FeatureSet("telling", "told levels", {}, told)


def test_an_svr_answers_beside_it_on_the_same_clips(run, paths, tmp_path):
    results = evaluate_baseline(
        Baseline(TELLING), paths, tmp_path, tmp_path, columns="calls:level,calls:register"
    )
    level = results[0]
    assert level.columns[0].ccc > 0.9
    ours, theirs = (
        [
            (row.file, row.truth)
            for row in read_numbers(folder / "numbers.csv")
            if row.corpus == "calls-level"
        ]
        for folder in (run, tmp_path)
    )
    assert ours == theirs
    with pytest.raises(ValueError, match="--classifier=linear"):
        evaluate_baseline(
            Baseline(TELLING, "rbf"), paths, tmp_path, tmp_path, columns="calls:level"
        )
