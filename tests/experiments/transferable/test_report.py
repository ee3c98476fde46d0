"""Folds of made-up runs, shown as the five tables."""

import csv
import re
from pathlib import Path

import pytest

from emojax.corpora.partitions import make_partition
from emojax.corpora.spec import Clip, CorpusSpec
from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.metrics import score
from emojax.evaluation.score_files import Prediction, write_predictions, write_results
from emojax.experiments.reports.report import write_report
from emojax.experiments.transferable.approaches import ADAPTIVE_SVM, SIX
from emojax.experiments.transferable.report import transferable_report

FOLDS = 3
LABELS = ("anger", "fear", "joy", "neutral", "sad")
WORDS = {"anger": "anger", "fear": "fear", "joy": "happiness", "sad": "sadness"}
EVERY = ("1", "2", "3", "4", "5")


def corpus(name):
    """Ten clips of each label by each of six speakers; one label is none of the six emotions."""
    clips = [
        Clip(f"{s}/{label}{take}.wav", label, s, "", 1.0, "", f"{s}{label}{take}")
        for s in "abcdef"
        for label in LABELS
        for take in range(10)
    ]
    return PreparedCorpus(CorpusSpec(name, LABELS), clips, Path("nowhere"))


@pytest.fixture
def corpora():
    return {name: corpus(name) for name in ("x", "y", "z")}


@pytest.fixture
def run(tmp_path, corpora):
    """A function that writes the folds of one setting on some corpora; returns their folders."""

    def folds(setting, right, devel=0.5, kind="fold"):
        """Of ten takes, so many are right in each fold: fold 1, 2, 3 of each corpus."""
        folders = []
        for i in range(1, FOLDS + 1):
            where = "_".join([setting, *right, str(i)]).replace(" ", "_")
            takes = {name: some[i - 1] for name, some in right.items()}
            folders.append(write(tmp_path / "runs" / where, takes, f"{kind}:{i}/{FOLDS}", devel))
        return folders

    def write(folder, takes, partition, devel):
        folder.mkdir(parents=True)
        rows = []
        for name, right in takes.items():
            prepared = corpora[name]
            tested = make_partition(prepared.spec, prepared.clips, partition).parts["test"]
            for clip in (prepared.clips[i] for i in tested):
                if clip.label in WORDS:
                    word = WORDS[clip.label]
                    said = word if int(clip.file[-5]) < right else "surprise"
                    file, speaker = f"{name}/{clip.file}", f"{name}/{clip.speaker}"
                    rows.append(Prediction("emotion", file, speaker, word, said, {}))
        truth, said = (
            [SIX.index(one) for one in some]
            for some in zip(*[(r.label, r.prediction) for r in rows], strict=True)
        )
        result = score("emotion", "any", SIX, truth, said, [row.speaker for row in rows])
        write_predictions(rows, folder / "predictions.csv")
        noted = {"part": "test", "command": "", "utterance": "whole", "step": 1, "versions": {}}
        noted |= {"config": {"seed": 0, "partition": partition}}
        write_results([result], folder, {**noted, "devel_uar": {"emotion": devel}})
        return folder

    return folds


@pytest.fixture
def workdirs(run):
    """x gains by transfer in every fold, y loses, z has nothing but the models of all corpora."""
    every = {"x": [6, 7, 6], "y": [5, 5, 5], "z": [4, 4, 5]}
    return {
        "SVM-IS": run("SVM-IS", {name: [4, 5, 4] for name in every}),
        "CNN": run("CNN", {name: [4, 4, 5] for name in every}),
        "CNN+LSTM": run("CNN+LSTM", every),
        "TT": [*run("TT", {"x": [4, 5, 4]}), *run("TT", {"y": [8, 8, 8]})],
        "S1-A1": [*run("S1-A1", {"x": [6, 7, 6]}), *run("S1-A1", {"y": [8, 8, 8]}, devel=0.4)],
        "S1-A2": [*run("S1-A2", {"x": [9, 9, 9]}, devel=0.4), *run("S1-A2", {"y": [6, 6, 6]})],
        "S1-A2 without y": run("S1-A2 without y", {"x": [8, 7, 7]}),
        "S1-A2 without z": run("S1-A2 without z", {"x": [9, 9, 8]}),
        ADAPTIVE_SVM: run("adaptive", {"x": [3, 4, 3]}),
    }


def shown(report):
    """The tables of a report by name, as a program reads them: first column → row."""
    found = {}
    for piece in report.pieces:
        if hasattr(piece, "rows"):
            rows = list(csv.DictReader(piece.csv().splitlines()))
            found[piece.name] = {next(iter(row.values())): row for row in rows}
    return found


def test_runs_of_all_corpora_are_scored_corpus_by_corpus(workdirs, corpora):
    table = shown(transferable_report(workdirs, corpora, EVERY))["table_2"]
    assert [float(table[name]["CNN+LSTM"]) for name in corpora] == pytest.approx(
        [190 / 3, 50, 130 / 3]
    )
    assert [float(table["mean"][name]) for name in ("chance", "SVM-IS", "CNN")] == pytest.approx(
        [25, 130 / 3, 130 / 3]
    )
    texts = transferable_report(workdirs, corpora, ["2"]).pieces[0].shown()
    assert texts[0][-1] == "63.3 ± 5.8+"  # two more in every fold
    assert texts[2][-1] == "43.3 ± 5.8"


def test_gains_are_relative_to_the_target_only_and_tested_over_folds(workdirs, corpora):
    report = transferable_report(workdirs, corpora, ["3"])
    table = shown(report)["table_3"]
    assert list(table) == ["x", "y", "mean", "deviation"]
    gains = [float(table[name]["S1-A2"]) for name in table]
    assert gains == pytest.approx([100 * (27 / 13 - 1), -25, 41.346, 93.8], abs=1e-3)
    assert [table[name]["highest"] for name in "xy"] == ["S1-A2", "S1-A1"]
    (x, y, *_) = report.pieces[0].shown()
    assert (x[3], y[2], y[3]) == ("+107.7+", "+0.0", "−25.0−")
    assert [piece.name for piece in report.pieces[1:3]] == ["table_3", "table_3_gains"]


def test_a_left_out_corpus_is_compared_with_all(workdirs, corpora):
    report = transferable_report(workdirs, corpora, ["4"])
    (row,) = report.pieces[0].shown()
    assert row == ("x", "S1-A2", "90.0", "", "73.3−", "86.7")
    assert list(report.pieces[0].columns)[3:] == ["without x", "without y", "without z"]


def test_the_transfer_of_table_5_is_chosen_on_devel(workdirs, corpora):
    table = shown(transferable_report(workdirs, corpora, ["5"]))["table_5"]
    assert table["x"]["which"] == "S1-A1"
    assert float(table["x"]["best on devel"]) == pytest.approx(190 / 3)
    assert float(table["x"]["gain"]) == pytest.approx(90)
    assert "y" not in table  # it has no adaptive SVM


def test_missing_folds_are_named_and_their_means_are_not_shown(workdirs, corpora):
    workdirs["S1-A2"] = workdirs["S1-A2"][1:]
    report = transferable_report(workdirs, corpora, ["3"], missing="a job: broken")
    assert re.match(r"a job: broken; S1-A2, x, seed 0: 160 of 240 clips are tested", report.missing)
    (x, *_) = report.pieces[0].shown()
    assert x[3] == ""


def test_random_folds_are_speaker_dependent_in_every_title(run, corpora, tmp_path):
    workdirs = {name: run(name, {"x": [6, 7, 6]}, kind="random") for name in ("TT", "S1-A2")}
    report = transferable_report(workdirs, corpora, ["1", "3"])
    assert report.title == "Transferable features (speaker-dependent)"
    assert all(piece.caption.endswith("(speaker-dependent)") for piece in report.pieces[:-1])


def test_the_page_has_all_tables_and_says_who_is_left_out(workdirs, corpora, tmp_path):
    left_out = ["few is left out: it has 2"]
    report = transferable_report(workdirs, corpora, EVERY, left_out=left_out)
    names = {path.name for path in write_report(report, tmp_path / "out", "")}
    for table in EVERY:
        assert {f"table_{table}.{end}" for end in ("csv", "tex", "png")} <= names
    assert {"transferable.html", "table_3_gains.png", "transferable_details.csv"} <= names
    page = (tmp_path / "out" / "transferable.html").read_text("utf-8")
    assert "few is left out: it has 2" in page
    assert "each clip over its own samples" in page
    assert report.missing == ""


def test_table_1_needs_no_run(corpora):
    report = transferable_report({}, corpora, ["1"])
    assert [piece.name for piece in report.pieces] == ["table_1", "table_1"]
    assert shown(report)["table_1"]["x"]["left out"] == "60"


def test_seeds_count_as_more_folds(run, corpora, rewrite):
    workdirs = {
        name: run(name, {"x": some}) for name, some in [("TT", [4, 5, 4]), ("S1-A2", [6, 7, 6])]
    }
    more = run("more", {"x": [2, 3, 2]})
    for number, folder in enumerate(more, 1):
        rewrite(folder, config={"seed": 1, "partition": f"fold:{number}/3"})
    workdirs["TT"] += more
    details = shown(transferable_report(workdirs, corpora, ["3"]))["transferable_details"]
    assert (details["TT"]["folds"], details["S1-A2"]["folds"]) == ("6", "3")
    (row, *_) = transferable_report(workdirs, corpora, ["3"]).pieces[0].shown()
    assert row[1:3] == ("33.3", "+46.2+")  # only seeds that both have are paired
