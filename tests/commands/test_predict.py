import csv
import io
import json
import os
import shutil
import sys

import pytest

from emojax.commands import resumable
from emojax.commands.__main__ import main


@pytest.fixture
def folder(tiny_sources, tmp_path):
    """Three recordings and a file that is none."""
    for path in sorted((tiny_sources / "tones").glob("*_high_*.wav"))[:3]:
        shutil.copy(path, tmp_path)
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    return tmp_path


@pytest.fixture
def predict(tiny_run):
    def call(*arguments):
        return main(["predict", f"--model={tiny_run}", "--corpus=tones", *map(str, arguments)])

    return call


def test_a_folder_is_answered_and_its_bad_file_is_named(predict, folder, capsys):
    assert predict(folder) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 3
    assert "%" in printed.out
    assert "broken.wav" in printed.err
    assert predict(*folder.glob("*_high_*.wav"), "--labels=low,middle", "--out=csv") == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert {row["label"] for row in rows} <= {"low", "middle"}
    assert float(rows[0]["low"]) + float(rows[0]["middle"]) == pytest.approx(1)


def test_norms_are_estimated_on_the_recordings_that_can_be_used(predict, tiny_sources, tmp_path):
    shutil.copytree(tiny_sources / "tones", folder := tmp_path / "calls")
    (folder / "broken.wav").write_bytes(b"no audio")
    own, trained = tmp_path / "own.json", tmp_path / "trained.json"
    assert predict(folder, f"--out={trained}") == predict(folder, "--adapt_norms", f"--out={own}")
    changed = [
        one.get("probabilities") != other.get("probabilities")
        for one, other in zip(
            *(json.loads(path.read_text()) for path in (own, trained)), strict=True
        )
    ]
    assert sum(changed) == len(changed) - 1  # all but the broken one


def test_too_few_recordings_for_norms_are_one_error(predict, folder, capsys):
    with pytest.raises(SystemExit):
        predict(folder, "--adapt_norms", f"--out={folder / 'a.csv'}")
    assert "too few to estimate norms; give at least 16" in capsys.readouterr().err
    assert not list(folder.glob("*.csv"))


def test_each_format_holds_the_same_answers(predict, folder):
    for name in ("a.csv", "a.json", "a.jsonl"):
        assert predict(folder, f"--out={folder / name}") == 1
    whole = json.loads((folder / "a.json").read_text())
    lines = [json.loads(line) for line in (folder / "a.jsonl").read_text().splitlines()]
    with open(folder / "a.csv", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert whole == lines
    assert [row["file"] for row in table] == [row["file"] for row in whole]
    for row, answer in zip(table, whole, strict=True):
        if answer["file"].endswith("broken.wav"):
            assert row["error"] == answer["error"]
        else:
            assert float(row["high"]) == answer["probabilities"]["high"]
    assert not list(folder.glob(".*"))


def test_a_name_that_is_no_unicode_is_printed(predict, folder, monkeypatch):
    name = os.fsdecode(os.fsencode(folder / "high_") + b"\xff.wav")
    shutil.copy(next(folder.glob("*_high_*.wav")), name)
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, "utf-8", write_through=True))
    predict(name, "--out=csv")
    assert b"high_\xff.wav," in printed.getvalue()


def test_a_result_in_the_home_folder_lies_there(predict, folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.chdir(folder)  # where a folder of that name must not appear
    predict(folder, "--out=~/a.csv")
    assert (folder / "home" / "a.csv").is_file()
    assert not (folder / "~").exists()


def test_a_call_that_was_killed_before_its_first_line_goes_on(predict, folder):
    (folder / ".a.csv.partial").write_bytes(b'{"model"')
    predict(folder, f"--out={folder / 'a.csv'}")
    assert (folder / "a.csv").is_file()


def test_a_stopped_call_goes_on_and_ends_with_the_same_file(predict, folder, monkeypatch):
    monkeypatch.setattr(resumable, "AT_ONCE", 1)
    predict(folder, f"--out={folder / 'whole.jsonl'}")
    from emojax.inference.api import Model

    predict_many, calls = Model.predict_many, []

    def stopped(self, files, **options):
        calls.append(files)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return predict_many(self, files, **options)

    monkeypatch.setattr(Model, "predict_many", stopped)
    out = folder / "again.jsonl"
    with pytest.raises(SystemExit) as stop:
        predict(folder, f"--out={out}")
    assert stop.value.code == 75
    assert not out.exists()
    with open(folder / ".again.jsonl.partial", "a", encoding="utf-8") as partial:
        partial.write('{"file": "half a li')
    with pytest.raises(SystemExit):  # other labels would be another answer
        predict(folder, f"--out={out}", "--labels=low,high")
    predict(folder, f"--out={out}")
    assert len(calls) == 3 + 2
    assert out.read_text() == (folder / "whole.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.wav"], "nowhere.wav: no such file or folder"),
        (["{empty}"], "has no files that end in .wav"),
        (["{empty}", "--out=answers.xls"], "give FILE.csv, FILE.json or FILE.jsonl"),
        (["{clip}", "--labels=joy"], "give a list with one or more of high, low, middle"),
        (["{clip}", "--corpus=birds"], "unknown corpus 'birds'"),
    ],
)
def test_wrong_arguments_are_one_line(predict, folder, capsys, arguments, message):
    (folder / "empty").mkdir()
    names = {"empty": folder / "empty", "clip": next(folder.glob("*_high_*.wav"))}
    with pytest.raises(SystemExit) as stop:
        predict(*(text.format(**names) for text in arguments))
    assert stop.value.code == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert len(printed.strip().splitlines()) == 1
