import csv
import io
import json

import pytest

from emojax.evaluation.metrics import score
from emojax.evaluation.report import Prediction, write_predictions, write_results
from emojax.experiments.finished import parse_workdirs
from emojax.experiments.report import write_report
from emojax.experiments.transfer import transfer

LABELS = ["a", "b"]


def finished(folder, right, devel=0.5, protocol="test on two"):
    """A scored run: corpus → how many of 40 clips of each label are right."""
    folder.mkdir()
    predictions, results = [], []
    for corpus, hits in right.items():
        truth = [label for label in (0, 1) for _ in range(40)]
        predicted = [label if i % 40 < hits else 1 - label for i, label in enumerate(truth)]
        results.append(score(corpus, protocol, LABELS, truth, predicted, [""] * 80))
        predictions += [
            Prediction(corpus, f"{i}.wav", "", LABELS[t], LABELS[p], {})
            for i, (t, p) in enumerate(zip(truth, predicted, strict=True))
        ]
    write_predictions(predictions, folder / "predictions.csv")
    run = {
        "part": "test",
        "command": "python <evaluate>",
        "utterance": "whole",
        "step": 10,
        "config": {"seed": 3},
    }
    write_results(results, folder, {**run, "devel_uar": {**dict.fromkeys(right, devel), "mean": devel}})
    return folder


@pytest.fixture
def workdirs(tmp_path):
    return {
        "scratch": [
            finished(tmp_path / "scratch_x", {"x": 20}),
            finished(tmp_path / "scratch_y", {"y": 30}),
        ],
        "shared": [finished(tmp_path / "shared", {"y": 29, "x": 36, "z": 10}, devel=0.75)],
    }


def rewrite(folder, **changes):
    path = folder / "results.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def rows_of(table):
    return list(csv.DictReader(io.StringIO(table.csv())))


def test_table_4_is_what_the_runs_scored(workdirs):
    table = transfer(workdirs).pieces[0]
    assert table.shown() == [
        ("x", "50.0", "50.0", "50.0", "75.0", "90.0+"),
        ("y", "50.0", "50.0", "75.0", "75.0", "72.5"),
        ("z", "50.0", "", "", "75.0", "25.0"),
        ("mean of 2", "50.0", "50.0", "62.5", "75.0", "81.2"),
    ]


def test_worse_is_marked_too_and_the_first_setting_is_the_reference(workdirs):
    turned = dict(reversed(workdirs.items()))
    assert transfer(turned).pieces[0].shown()[1][-1] == "50.0−"


def test_details_hold_differences_and_p_values(workdirs):
    rows = {(row["setting"], row["corpus"]): row for row in rows_of(transfer(workdirs).pieces[2])}
    x = rows["shared", "x"]
    assert float(x["test above first"]) == pytest.approx(40)
    assert float(x["from"]) < 40 < float(x["to"])
    assert float(x["p"]) <= float(x["p by Holm"]) < 0.05
    assert float(rows["shared", "y"]["test above first"]) == pytest.approx(-2.5)
    assert rows["shared", "z"]["p"] == rows["scratch", "x"]["test above first"] == ""
    assert ("scratch", "z") not in rows


def test_only_the_corpora_asked_for_in_their_order(workdirs):
    table = transfer(workdirs, ["y", "x", "y"]).pieces[0]
    assert [row[0] for row in table.shown()] == ["y", "x", "mean of 2"]


def test_the_page_says_how_it_came_about(workdirs, tmp_path):
    files = {path.name: path for path in write_report(transfer(workdirs), tmp_path / "out", "")}
    tables = ("table_4", "table_4_details", "runs")
    assert set(files) == {f"{t}.{end}" for t in tables for end in ("csv", "tex")} | {
        "figure_7.png",
        "transfer.html",
    }
    page = files["transfer.html"].read_text("utf-8")
    assert "<dd>x, y, z: test on two</dd>" in page
    assert "Per speaker: none." in page
    assert "<dt>Seeds</dt><dd>3;" in page
    assert "python &lt;evaluate&gt;" in page


def test_a_setting_that_normalises_speakers_is_named(workdirs):
    rewrite(workdirs["shared"][0], config={"seed": 3, "speaker_normalisation": True})
    assert "Per speaker: shared." in transfer(workdirs).normalisation


def test_the_heat_map_colours_the_difference(workdirs):
    ax = transfer(workdirs).pieces[1].figure.axes[0]
    values = ax.images[0].get_array()
    assert values[0].tolist() == pytest.approx([0, 0, 25, 40])
    assert {text.get_text() for text in ax.texts} >= {"90.0", "72.5"}


def test_a_system_without_devel_part_can_be_compared(workdirs):
    rewrite(workdirs["scratch"][0], devel_uar={"x": None})
    table = transfer(workdirs).pieces[0].shown()
    assert table[0][2:4] == ("", "50.0")
    assert table[-1][2:4] == ("", "62.5")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w.pop("shared"), "give two or more"),
        (lambda w: (w["shared"][0] / "results.json").unlink(), "holds no results; finished are .*scratch_x"),
        (lambda w: (w["shared"][0] / "predictions.csv").unlink(), "no predictions.csv"),
        (lambda w: rewrite(w["shared"][0], part="devel"), "of the devel part"),
        (lambda w: (w["shared"][0] / "results.json").write_text("[1]"), "not what evaluate.py writes"),
        (
            lambda w: (w["shared"][0] / "results.json").write_text('{"config": {}, "corpora": {}}'),
            "lacks command",
        ),
        (lambda w: w["scratch"].extend(w["shared"]), "give each corpus once"),
    ],
)
def test_unusable_runs_are_one_clear_error(workdirs, spoil, message):
    spoil(workdirs)
    with pytest.raises(ValueError, match=message):
        transfer(workdirs)


def test_a_corpus_in_no_run_is_an_error_with_the_choices(workdirs):
    with pytest.raises(ValueError, match="'nope' is in no run; choose of x, y, z"):
        transfer(workdirs, ["nope"])


def test_runs_of_different_clips_cannot_be_compared(workdirs):
    path = workdirs["shared"][0] / "predictions.csv"
    path.write_text(path.read_text().replace("x,0.wav", "x,other.wav"))
    with pytest.raises(ValueError, match="corpus x"):
        transfer(workdirs)


def test_settings_are_named_and_folders_may_be_patterns(workdirs):
    root = workdirs["shared"][0].parent
    items = [f"a={root}/scratch_*", f"b={root}/shared", f"b={root}/scratch_x"]
    assert parse_workdirs(items) == {
        "a": workdirs["scratch"],
        "b": [root / "shared", root / "scratch_x"],
    }


@pytest.mark.parametrize("item", ["{root}/shared", "=x", "name="])
def test_a_setting_needs_a_name_and_a_folder(workdirs, item):
    with pytest.raises(ValueError, match="names no setting"):
        parse_workdirs([item.format(root=workdirs["shared"][0].parent)])


def test_a_pattern_that_fits_nothing_says_what_is_there(workdirs):
    with pytest.raises(ValueError, match=r"no such folder; finished are .*shared"):
        parse_workdirs([f"a={workdirs['shared'][0].parent}/nothing*"])
