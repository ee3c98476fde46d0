"""A request for the tiny corpora, and runs of it that were never trained."""

import json
from pathlib import Path

import numpy as np
import pytest

from emojax.corpora.partitions import make_partition
from emojax.evaluation.metrics import score
from emojax.evaluation.score_files import prediction_rows, write_predictions, write_results
from emojax.experiments.corpus_arguments import parse_corpora
from emojax.experiments.launch.spec import Spec


@pytest.fixture
def spec(tiny_config, tiny_paths, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[3])
    monkeypatch.setattr("emojax.experiments.launch.launch.prepare", lambda *_: None)
    places = tmp_path / "out", [0], "corpora", tiny_config.paths.data_dir
    files = "configs/multi_corpus.py", "configs/scratch.py", "configs/adapt.py"
    return Spec(parse_corpora(tiny_config.paths.corpora.split(",")), {}, *places, *files)


@pytest.fixture
def scored(opened):
    """A function that leaves what jobs would: the wider, the more takes of three are right."""

    def write(jobs):
        workdirs = {}
        for job in jobs:
            ((folder, setting),) = job.results.items()
            _write(folder, opened, job.config, right={8: 2, 16: 3}[job.config["width"]])
            workdirs.setdefault(setting, []).append(folder)
        return workdirs

    return write


def _write(folder, opened, config, right):
    results, predictions = [], []
    for name, corpus in opened.items():
        part = make_partition(corpus.spec, corpus.clips, config["partition"], config["seed"])
        clips, labels = [corpus.clips[i] for i in part.parts["test"]], corpus.spec.labels
        truth = np.array([labels.index(clip.label) for clip in clips])
        hits = np.array([int(clip.file[-5]) < right for clip in clips])
        predicted = np.where(hits, truth, (truth + 1) % len(labels))
        sure = np.eye(len(labels))[predicted]
        speakers = [clip.speaker for clip in clips]
        results.append(score(name, part.protocol, labels, truth, predicted, speakers))
        predictions += prediction_rows(name, clips, labels, truth, predicted, sure)
    folder.mkdir(parents=True)
    write_predictions(predictions, folder / "predictions.csv")
    noted = {"part": "test", "command": "", "utterance": "whole", "step": 6, "devel_uar": {}}
    write_results(results, folder, {**noted, "versions": {}, "config": config})
    lines = {"step": 0}, {"step": 4, "time/step_s": 1.0}, {"step": 6, "time/step_s": 0.25}
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
