import csv
import dataclasses
import json

import numpy as np
import pytest

from emojax.evaluation.metrics import score
from emojax.evaluation.score_files import (
    Prediction,
    parse_workdirs,
    table,
    write_predictions,
    write_results,
)
from emojax.files import replacing


def result(corpus="demo", right=0.8, speakers=6):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 200)
    prediction = np.where(rng.random(200) < right, truth, (truth + 1) % 3)
    names = [f"s{i}" for i in rng.integers(0, speakers, 200)]
    return score(corpus, f"protocol of {corpus}", ("a", "b", "c"), truth, prediction, names)


def line_of(text, start):
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line


def test_a_row_shows_every_score_in_percent():
    r = result()
    low, high = r.uar_ci95
    line = line_of(table([r]), "demo")
    for value in (r.chance, r.uar, r.war, r.macro_f1):
        assert f" {100 * value:.1f} " in line
    assert f"[{100 * low:.1f}, {100 * high:.1f}]" in line
    assert " 200 " in line
    assert line.endswith("protocol of demo")


def test_the_mean_is_that_of_the_uars():
    results = [result("one", 0.9), result("other", 0.5)]
    assert f" {50 * (results[0].uar + results[1].uar):.1f}" in line_of(table(results), "mean UAR")


def test_only_a_corpus_whose_interval_reaches_chance_is_marked():
    text = table([result("good", 0.9), result("poor", 0.3)])
    assert "*" not in line_of(text, "good")
    assert "] *" in line_of(text, "poor")
    assert "does not lie above chance" in text
    assert "*" not in table([result("good", 0.9)])


def test_names_of_strangers_cannot_steer_the_terminal():
    hostile = dataclasses.replace(result(), protocol="leave one out, test \x1b[2J")
    assert table([hostile]).splitlines()[1].endswith("leave one out, test \\x1b[2J")


def test_footnotes_say_what_was_resampled():
    text = table([result("many"), result("few", speakers=3)])
    assert "over speakers: many." in text
    assert "over clips: few." in text
    assert "over clips" not in table([result("many")])


def test_only_a_part_of_fewer_than_five_speakers_is_marked():
    note = "† fewer than five speakers: says little about others."
    text = table([result("many", speakers=5), result("few", speakers=4)])
    assert line_of(text, "few").startswith("few† ")
    assert line_of(text, "many").startswith("many ")
    assert text.splitlines()[-1] == note
    assert "†" not in table([result("many", speakers=5)])
    assert "synthetic" not in text


def test_synthetic_speech_is_called_so_wherever_its_numbers_are():
    text = table([result("synthetic-german"), result("real")])
    assert "(synthetic speech)" in line_of(text, "synthetic-german")
    assert "synthetic" in line_of(text, "mean UAR")
    assert "synthetic" not in line_of(text, "real")
    assert "synthetic" not in table([result("real")])


def test_numbers_stand_below_each_other():
    text = table([result("a"), result("a-much-longer-name")])
    assert len({line.index("[") for line in text.splitlines() if "[" in line}) == 1


def test_results_hold_every_corpus_the_mean_and_where_they_come_from(tmp_path):
    results = [result("one", 0.9), result("other", 0.5)]
    path = write_results(results, tmp_path, {"commit": "abc", "seed": 1})
    content = json.loads(path.read_text(encoding="utf-8"))
    assert path == tmp_path / "results.json"
    assert content["corpora"] == {r.corpus: r.to_json() for r in results}
    assert content["mean_uar"] == pytest.approx(np.mean([r.uar for r in results]))
    assert (content["commit"], content["seed"]) == ("abc", 1)


def test_results_that_fail_leave_the_old_ones(tmp_path):
    path = write_results([result()], tmp_path, {})
    before = path.read_bytes()
    for bad in ({"loss": float("nan")}, {"object": object()}):
        with pytest.raises((ValueError, TypeError)):
            write_results([result()], tmp_path, bad)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


def prediction(file="a.wav", **probabilities):
    return Prediction("demo", file, "s1", "fröhlich", "traurig", probabilities)


def test_predictions_can_be_read_again(tmp_path):
    path = tmp_path / "predictions.csv"
    write_predictions([prediction("ä, b.wav", fröhlich=np.float32(1 / 3), traurig=2 / 3)], path)
    with open(path, newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert json.loads(row.pop("probabilities")) == {"fröhlich": 0.333333, "traurig": 0.666667}
    assert row == {
        "corpus": "demo",
        "file": "ä, b.wav",
        "speaker": "s1",
        "label": "fröhlich",
        "prediction": "traurig",
    }


def test_predictions_that_fail_half_way_leave_the_old_ones(tmp_path):
    path = tmp_path / "predictions.csv"
    write_predictions([prediction(a=1.0)], path)
    before = path.read_bytes()

    def failing():
        yield prediction(a=0.5)
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError, match="power"):
        write_predictions(failing(), path)
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_predictions([prediction(a=float("nan"))], path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["predictions.csv"]


def test_nobody_sees_a_draft_under_the_final_name(tmp_path):
    path = tmp_path / "results.json"
    with replacing(path) as draft:
        draft.write_text("half", encoding="utf-8")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "half"


@pytest.fixture
def finished(tmp_path):
    """A folder of three finished runs."""
    for name in ("scratch_x", "scratch_y", "shared"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").touch()
    return tmp_path


def test_settings_are_named_and_folders_may_be_patterns(finished):
    items = [f"a={finished}/scratch_*", f"b={finished}/shared", f"b={finished}/scratch_x"]
    assert parse_workdirs(items) == {
        "a": [finished / "scratch_x", finished / "scratch_y"],
        "b": [finished / "shared", finished / "scratch_x"],
    }


@pytest.mark.parametrize("item", ["{root}/shared", "=x", "name="])
def test_a_setting_needs_a_name_and_a_folder(finished, item):
    with pytest.raises(ValueError, match="names no setting"):
        parse_workdirs([item.format(root=finished)])


def test_a_pattern_that_fits_nothing_says_what_is_there(finished):
    with pytest.raises(ValueError, match=r"no such folder; finished are .*shared"):
        parse_workdirs([f"a={finished}/nothing*"])
