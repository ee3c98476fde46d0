import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from emojax.experiments.corpus_arguments import parse_corpora
from emojax.experiments.launch.launch import carry_out
from emojax.experiments.launch.spec import Spec
from emojax.experiments.zero_shot.plan import choose_held_out, reading_jobs, training_jobs
from emojax.experiments.zero_shot.report import zero_shot_report

ROOT = Path(__file__).parents[3]


@pytest.fixture
def spec(tiny_config, words, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    return Spec(
        parse_corpora(tiny_config.paths.corpora.split(",")),
        {},
        tmp_path / "out",
        [0, 1],
        "corpora",
        tiny_config.paths.data_dir,
        "configs/quickstart.py",
        "configs/scratch.py",
        "configs/adapt.py",
        label_words=words,
    )


def flags_of(command):
    return dict(flag.partition("=")[::2] for flag in command)


def test_each_corpus_is_left_out_of_a_network_of_all_others(spec):
    jobs = list(training_jobs(spec, ["tones", "levels"], False))
    assert len(jobs) == 2 * 2 * 2
    trained, asked = jobs[:2]
    flags = flags_of(trained.commands[0])
    assert flags["--config.corpora"] == spec.corpora["levels"]
    assert flags["--config.domains"] == "corpora+emotion"
    assert flags["--config.partition"] == "all"
    assert "levels/loud=anger" in flags["--config.label_words"]
    assert (trained.results, len(trained.commands)) == ({}, 1)
    assert asked.after == [trained]
    assert flags_of(asked.commands[0])["--model"] == str(trained.folder)
    assert flags_of(asked.commands[0])["--corpus"] == "tones"
    assert set(asked.results.values()) == {"zero-shot", "zero-shot, own norms"}
    # Training refuses words for corpora that it has not.
    assert "levels/" not in flags_of(jobs[2].commands[0])["--config.label_words"]
    assert len({job.folder for job in jobs}) == len(jobs)


def test_all_that_is_held_out_can_be_left_out_of_one_network(spec):
    more = dataclasses.replace(spec, corpora={**spec.corpora, "third": "third=x.csv"}, seeds=[0])
    trained, *asked = training_jobs(more, ["tones", "third"], True)
    assert flags_of(trained.commands[0])["--config.corpora"] == spec.corpora["levels"]
    assert [job.corpora for job in asked] == [["tones"], ["third"]]
    assert all(job.after == [trained] for job in asked)
    with pytest.raises(ValueError, match=r"without tones, levels no corpus is left .*fewer --held"):
        list(training_jobs(spec, ["tones", "levels"], True))


def test_corpora_without_common_words_are_left_out_by_name(spec):
    few = dataclasses.replace(spec, label_words="levels/loud=anger,levels/soft=sadness")
    assert choose_held_out(spec, []) == (["tones", "levels"], [])
    assert choose_held_out(few, []) == (["levels"], ["tones"])
    with pytest.raises(ValueError, match=r"labels of tones have fewer than two .*--label_words"):
        choose_held_out(few, ["tones"])
    with pytest.raises(ValueError, match=r"^--held_out=mine; choose of the corpora tones, levels"):
        choose_held_out(spec, ["mine"])


def test_models_that_are_there_are_asked_about_what_they_never_saw(
    spec, of_tones, tiny_run, tmp_path
):
    workdirs = {"mine": [of_tones]}
    with pytest.raises(ValueError, match=r"^mine learnt from corpus tones, .*--held_out"):
        list(reading_jobs(spec, ["levels", "tones"], workdirs))
    with pytest.raises(ValueError, match=r"no head 'emotion'"):
        list(reading_jobs(spec, ["levels"], {"mine": [tiny_run]}))
    with pytest.raises(ValueError, match=r"a name '\.\./x'"):
        list(reading_jobs(spec, ["levels"], {"../x": [of_tones]}))
    (job,) = reading_jobs(spec, ["levels"], workdirs)
    flags = flags_of(job.commands[0])
    assert (flags["--model"], flags["--corpus"]) == (str(of_tones), "levels")
    assert set(job.results.values()) == {"mine", "mine, own norms"}
    assert not job.is_finished()


def test_a_corpus_that_changed_since_it_was_asked_about_is_refused(spec, of_tones, tmp_path):
    (job,) = reading_jobs(spec, ["levels"], {"mine": [of_tones]})
    quick = dataclasses.replace(job, commands=[("-c", "pass")], results={})
    assert carry_out([quick], spec, "here") == ({}, {})
    note = job.folder / "job.json"
    (digest,) = (one["digest"] for one in json.loads(note.read_text())["partitions"].values())
    note.write_text(note.read_text().replace(digest, "another"))
    with pytest.raises(ValueError, match=r"a run on other data: levels changed since then"):
        carry_out([quick], spec, "here")


def test_one_command_trains_asks_and_draws(tiny_config, words, tmp_path):
    config = tmp_path / "tiny.py"
    names = ("width", "depth", "batch_size", "window_s", "fast_conv")
    lines = [f"    config.{name} = {tiny_config.flat()[name]!r}" for name in names]
    lines += ["    config.rounds_per_phase = 2", "    config.learning_rates = (0.01,)"]
    body = "\n".join(["from configs import base", "def get_config():"])
    body += "\n    config = base.get_config()\n" + "\n".join([*lines, "    return config"])
    config.write_text(body)
    command = [sys.executable, "-m", "emojax.experiments", "zero_shot", "--held_out=levels"]
    command += [f"--corpora={tiny_config.paths.corpora}", f"--label_words={words}"]
    command += [f"--data_dir={tiny_config.paths.data_dir}", f"--config={config}"]
    command += [f"--out={tmp_path / 'out'}"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "2 runs, 0 of them finished before" in done.stdout
    assert (tmp_path / "out" / "zero_shot.html").is_file()
    rows = (tmp_path / "out" / "zero_shot.csv").read_text().splitlines()
    assert rows[0] == 'corpus,clips,speakers,chance,zero-shot,"zero-shot, own norms"'
    assert rows[1].startswith("levels,30,5,50.0,")
    trained, adapted = ([*(tmp_path / "out").rglob(name)] for name in ("trained", "adapted"))
    workdirs = {"mine": trained, "mine, own norms": adapted}
    check_report(zero_shot_report(workdirs, ["tones"]))


def check_report(report):
    names = ["zero_shot", "zero_shot_four"]
    assert [piece.name for piece in report.pieces] == [
        *(f"{name}{end}" for name in names for end in ("", "", "_details")),
        "runs",
    ]
    table, four = report.pieces[0], report.pieces[3]
    assert [row[0] for row in table.rows] == ["levels"]
    assert [row[0] for row in four.rows] == ["levels (four)"]
    assert list(table.columns)[4:] == ["mine", "mine, own norms"]
    assert table.rows[0][1:4] == [30, 5, 50.0]
    assert table.notes[-1] == "Not asked about, with fewer than two common words: tones."
    assert "norms as trained" in report.protocol
