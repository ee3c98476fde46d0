"""A finished run is scored on one of its parts, and only on the data that it knows."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emojax.evaluation import evaluator
from emojax.evaluation.evaluator import evaluate
from emojax.evaluation.score_files import read_predictions
from emojax.inference.calibration import CALIBRATION_FILE


def test_devel_results_have_their_own_folder_and_agree_with_training(tiny_run, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny_run.parent))
    results = evaluate(f"~/{tiny_run.name}", "devel")
    best = json.loads((tiny_run / "devel" / "results.json").read_text())["devel_uar"]
    for result in results:
        assert result.uar == pytest.approx(best[result.corpus])


def test_the_papers_crop_differs_from_the_whole_utterance_only_where_it_is_longer(tiny_run):
    # No tiny clip is longer than 5 s.
    for whole, cropped in zip(
        evaluate(tiny_run, "devel"), evaluate(tiny_run, "devel", crop=True), strict=True
    ):
        assert whole.uar == cropped.uar
    assert (
        json.loads((tiny_run / "devel" / "results.json").read_text())["utterance"] == "middle 5 s"
    )


def test_the_latest_state_is_scored_beside_the_best_one(tiny_run):
    evaluate(tiny_run)
    best = (tiny_run / "results.json").read_bytes()
    results = evaluate(tiny_run, "devel", state="latest")
    evaluate(tiny_run, state="latest")
    assert (tiny_run / "results.json").read_bytes() == best
    latest = json.loads((tiny_run / "latest" / "results.json").read_text())
    last = json.loads((tiny_run / "metrics.jsonl").read_text().splitlines()[-1])
    assert (latest["state"], json.loads(best)["state"]) == ("latest", "best")
    assert latest["step"] == last["step"]
    assert latest["devel_uar"] == pytest.approx(
        {r.corpus: last[f"devel_uar/{r.corpus}"] for r in results}
    )
    assert latest["devel_uar"] == pytest.approx({result.corpus: result.uar for result in results})


def test_corpora_that_changed_since_training_are_refused(tiny_run, tiny_paths, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    shutil.copytree(tiny_paths["tones"], tmp_path / "1.0.0")
    table = tmp_path / "1.0.0" / "clips.csv"
    lines = table.read_text().splitlines(keepends=True)
    speakers = {line.split(",")[2] for line in lines[1:]}
    first, second = sorted(speakers)[:2]
    swapped = [
        line.replace(f",{first},", ",X,").replace(f",{second},", f",{first},") for line in lines[1:]
    ]
    table.write_text(lines[0] + "".join(swapped).replace(",X,", f",{second},"))
    places = json.loads((tmp_path / "run" / "corpora.json").read_text())
    places["tones"] = str(tmp_path / "1.0.0")
    (tmp_path / "run" / "corpora.json").write_text(json.dumps(places))
    with pytest.raises(ValueError, match=r"partitions\.tones\.digest"):
        evaluate(tmp_path / "run")


@pytest.mark.parametrize("places", [None, "{", "[]"])
def test_a_run_that_does_not_say_where_its_corpora_lie_is_refused(tiny_run, tmp_path, places):
    shutil.copytree(tiny_run / "checkpoints", tmp_path / "checkpoints")
    if places is not None:
        (tmp_path / "corpora.json").write_text(places)
    with pytest.raises(
        ValueError, match=r"does not say where its corpora lie.*run train\.py again"
    ):
        evaluate(tmp_path)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"part": "train"}, "part='train'; choose one of test, devel"),
        ({"state": "first"}, "state='first'; choose one of best, latest"),
    ],
)
def test_only_what_there_is_can_be_scored(tiny_run, asked, message):
    with pytest.raises(ValueError, match=message):
        evaluate(tiny_run, **asked)


def test_corpora_that_moved_since_training_are_found_where_a_person_says(
    tiny_run, tiny_paths, tmp_path
):
    run, data = tmp_path / "run", tmp_path / "data"
    shutil.copytree(tiny_run, run)
    for path in tiny_paths.values():
        shutil.copytree(path, data / Path(*path.parts[-3:]))
    (run / "corpora.json").write_text(json.dumps({name: f"/gone/{name}" for name in tiny_paths}))
    with pytest.raises(ValueError, match=r"tones in /gone/tones.*--data_dir=DIR"):
        evaluate(run, "devel")
    moved = evaluate(run, "devel", data_dir=data)
    assert [result.uar for result in moved] == [
        result.uar for result in evaluate(tiny_run, "devel")
    ]


@pytest.fixture
def without_test(monkeypatch):
    """A function after which these corpora have no test part, and their run is none the wiser."""

    def remove(*names):
        def opened(*args, **settings):
            corpora = open_corpora(*args, **settings)
            for name in names:
                parts = corpora[name].partition.parts | {"test": np.array([], np.int64)}
                partition = dataclasses.replace(corpora[name].partition, parts=parts)
                corpora[name] = dataclasses.replace(corpora[name], partition=partition)
            return corpora

        monkeypatch.setattr(evaluator, "open_corpora", opened)
        monkeypatch.setattr(evaluator, "check_same", lambda *_: None)

    open_corpora = evaluator.open_corpora
    return remove


def test_corpora_without_the_part_are_named_and_the_others_scored(
    tiny_run, tmp_path, without_test, capsys
):
    shutil.copytree(tiny_run, tmp_path / "run")
    without_test("tones")
    assert [result.corpus for result in evaluate(tmp_path / "run")] == ["levels"]
    assert "no clips for test, not scored: tones" in capsys.readouterr().err.splitlines()
    assert set(json.loads((tmp_path / "run" / "results.json").read_text())["corpora"]) == {"levels"}


def test_a_run_none_of_whose_corpora_has_the_part_is_refused(tiny_run, tmp_path, without_test):
    shutil.copytree(tiny_run, tmp_path / "run", ignore=shutil.ignore_patterns("results.json"))
    without_test("tones", "levels")
    with pytest.raises(ValueError, match=r"corpus tones, levels: no clips for test"):
        evaluate(tmp_path / "run")
    assert not (tmp_path / "run" / "results.json").exists()


def test_results_say_how_well_the_probabilities_are_calibrated(tiny_run, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(tiny_run, bare)
    (bare / CALIBRATION_FILE).unlink()
    calibrated = {result.corpus: result for result in evaluate(tiny_run, "devel")}
    for result in evaluate(bare, "devel"):
        before, after = result.calibration, calibrated[result.corpus].calibration
        assert before.temperature == 1.0
        assert (before.ece, before.nll) == pytest.approx(
            (after.ece_uncalibrated, after.nll_uncalibrated)
        )
        assert after.nll <= before.nll + 1e-6  # the temperature was fitted to this part
    ours, theirs = (read_predictions(run / "devel" / "predictions.csv") for run in (tiny_run, bare))
    assert [row.prediction for row in ours] == [row.prediction for row in theirs]
    assert [row.probabilities for row in ours] != [row.probabilities for row in theirs]
    written = json.loads((tiny_run / "devel" / "results.json").read_text())["corpora"]["tones"]
    assert written["calibration"] == pytest.approx(vars(calibrated["tones"].calibration))
