"""The command ``emojax timeline``."""

import numpy as np
import pytest
import soundfile

from emojax.commands.__main__ import make_parser
from emojax.timeline import speech


@pytest.fixture
def call(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, (32_000, 2))
    soundfile.write(tmp_path / "call.wav", noise, 16_000)
    return tmp_path / "call.wav"


@pytest.fixture
def run(tiny_run, call):
    def run(*flags):
        given = ["timeline", str(call), f"--model={tiny_run}", "--corpus=tones", *flags]
        arguments = make_parser().parse_args(given)
        return arguments.run(arguments)

    return run


@pytest.fixture
def all_is_speech(monkeypatch):
    monkeypatch.setattr(speech, "_detector", lambda: lambda chunk: 1.0)


def test_a_timeline_is_printed(run, all_is_speech, capsys):
    run()
    assert capsys.readouterr().out.split()[:2] == ["start", "end"]


def test_several_files_are_written_and_nothing_is_printed(run, all_is_speech, tmp_path, capsys):
    run("--channels=split", f"--out={tmp_path}/a.csv", f"--out={tmp_path}/new/a.vtt")
    assert "channel" in (tmp_path / "a.csv").read_text().splitlines()[0]
    assert (tmp_path / "new" / "a.vtt").exists()
    assert capsys.readouterr().out == ""


def test_a_file_in_the_home_folder_lies_there(run, all_is_speech, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    run("--out=~/a.csv")
    assert (tmp_path / "home" / "a.csv").is_file()


def test_noise_is_no_speech_and_that_is_said(run, tmp_path, capsys):
    run(f"--out={tmp_path}/a.jsonl")
    assert "no speech found" in capsys.readouterr().err
    assert (tmp_path / "a.jsonl").read_text() == ""


def test_an_unknown_format_is_refused_before_the_work(run, call, tmp_path):
    call.unlink()
    with pytest.raises(ValueError, match="unknown format"):
        run(f"--out={tmp_path}/a.docx")
