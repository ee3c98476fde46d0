import dataclasses
from pathlib import Path

import numpy as np
import pytest

from emojax.corpora.partitions import make_partition
from emojax.experiments.launch.spec import Spec
from emojax.experiments.reports.score_grid import read_grid
from emojax.experiments.shots.drawing import drawn
from emojax.experiments.shots.plan import shots_jobs
from emojax.experiments.shots.report import _marks, shots_report
from emojax.experiments.shots.scoring import write_answers

ROOT = Path(__file__).parents[3]


@pytest.fixture
def spec(tiny_config, of_tones, words, settings_file, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (item,) = (one for one in tiny_config.paths.corpora.split(",") if one.startswith("levels"))
    places = tmp_path / "out", [0], "corpora", tiny_config.paths.data_dir
    files = "configs/multi_corpus.py", settings_file("scratch"), settings_file("adapt")
    return Spec({"levels": item}, {}, *places, *files, base=str(of_tones), label_words=words)


def test_each_system_is_asked_on_each_fold(spec):
    jobs = [*shots_jobs(spec, ["scratch", "adapt"], ["1", "all"], 3)]
    assert [job.config["partition"] for job in jobs[::2]] == ["fold:1/3", "fold:2/3", "fold:3/3"]
    assert [*jobs[0].results.values()] == ["scratch: 1", "scratch: all"]
    assert [*jobs[1].results.values()] == [f"adapt: {k}" for k in ("0", "0, norms", "1", "all")]
    assert "--shots=0|0, norms|1|all" in jobs[1].commands[0]
    silent = dataclasses.replace(spec, label_words="")
    first = next(iter(shots_jobs(silent, ["adapt"], ["all"], 3)))
    assert [*first.results.values()] == ["adapt: all"]


def test_a_system_may_change_settings_of_its_network(spec):
    jobs = [*shots_jobs(spec, ["adapt", "adapt:transfer=norms"], ["all"], 3)]
    plain, changed = jobs[:2]
    assert [*changed.results.values()] == ["adapt:transfer=norms: all"]
    assert plain.config["transfer"] == "finetune"
    assert changed.config["transfer"] == "norms"
    assert "--system=adapt:transfer=norms" in changed.commands[0]
    assert plain.folder != changed.folder
    with pytest.raises(ValueError, match="refit stays False, whatever is given; leave it out"):
        next(shots_jobs(spec, ["scratch:refit=True"], ["all"], 3))


def test_what_the_base_learnt_from_is_refused(spec, tiny_config):
    (item,) = (one for one in tiny_config.paths.corpora.split(",") if one.startswith("tones"))
    with pytest.raises(ValueError, match=r"learnt from corpus tones, so it is not unseen"):
        list(shots_jobs(dataclasses.replace(spec, corpora={"tones": item}), [], ["all"], 3))
    with pytest.raises(ValueError, match=r"--base=RUN"):
        list(shots_jobs(dataclasses.replace(spec, base=""), [], ["all"], 3))
    with pytest.raises(ValueError, match=r"'shared'; choose of scratch, adapt, egemaps"):
        list(shots_jobs(spec, ["shared"], ["all"], 3))


@pytest.fixture
def scored(spec, opened):
    """A function that writes random answers in the place of what the jobs of a plan would."""
    corpus, random = opened["levels"], np.random.default_rng(0)

    def write(jobs):
        workdirs = {}
        for job in jobs:
            fold = make_partition(corpus.spec, corpus.clips, job.config["partition"])
            for folder, setting in job.results.items():
                shots = setting.partition(": ")[2]
                drawing = (
                    fold if shots in ("0", "0, norms") else drawn(fold, corpus.clips, shots, 0)
                )
                said = random.dirichlet([1, 1], len(fold.parts["test"]))
                noted = {"command": "", "part": "test", "utterance": "whole", "devel_uar": {}}
                noted["config"] = job.config
                write_answers(
                    corpus, "levels", {shots: drawing}, iter([(shots, said)]), job.folder, noted
                )
                workdirs.setdefault(setting, []).append(folder)
        return workdirs

    return write


def test_a_row_for_each_number_of_clips_and_a_curve(spec, opened, scored):
    workdirs = scored(shots_jobs(spec, ["scratch", "adapt"], ["1", "all"], 3))
    corpora = {"levels": opened["levels"]}
    report = shots_report(workdirs, corpora, ["1", "all"])
    table, picture, _ = report.pieces
    rows = [[*row[:5], *(cell is None for cell in row[5:])] for row in table.rows]
    assert rows == [
        ["levels", 5, 50.0, "0", None, True, False],
        ["levels", 5, 50.0, "0, norms", None, True, False],
        ["levels", 5, 50.0, "1", 2.0, False, False],
        ["levels", 5, 50.0, "all", 20.0, False, False],
    ]
    assert [*table.columns][5:] == ["scratch", "adapt"]
    assert picture.png()[:4] == b"\x89PNG"
    workdirs["adapt: 1"].pop()
    less = shots_report(workdirs, corpora, ["1", "all"])
    assert less.pieces[0].rows[2][6] is None
    assert "adapt: 1, levels, seed 0:" in less.missing


def test_what_is_significantly_better_or_worse_than_scratch_is_marked(finished, tmp_path):
    right = {
        "scratch: 1": {"x": 20, "y": 38},
        "adapt: 1": {"x": 36, "y": 22},
        "compare: 1": {"x": 21},
    }
    workdirs = {name: [finished(tmp_path / name, some)] for name, some in right.items()}
    grid = read_grid(workdirs)
    assert _marks(grid, "adapt", "1") == {"x": "+", "y": "−"}
    assert _marks(grid, "compare", "1") == _marks(grid, "scratch", "1") == {}
