"""SVMs as jobs of a plan: with weights that a person names, and speakers normalised."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emojax.baselines.feature_sets import FeatureSet
from emojax.baselines.pipeline import Baseline, evaluate
from emojax.experiments.corpus_arguments import parse_corpora
from emojax.experiments.launch.plan import BASELINES, baseline_jobs
from emojax.experiments.launch.spec import Spec
from emojax.experiments.table3 import baseline_report

ROOT = Path(__file__).parents[2]
VGG16 = "deepspectrum_vgg16"


@pytest.fixture
def spec(tmp_path, tiny_config, vgg16_pth, monkeypatch):
    monkeypatch.chdir(ROOT)
    configs = "configs/multi_corpus.py", "configs/scratch.py", "configs/adapt.py"
    corpora = parse_corpora(
        item for item in tiny_config.paths.corpora.split(",") if item.startswith("levels")
    )
    places = tmp_path, [0], tiny_config.paths.source_dir, tiny_config.paths.data_dir
    return Spec(
        corpora, {}, *places, *configs, vgg16_weights=str(vgg16_pth), speaker_normalisation=True
    )


def test_the_table_says_that_speakers_were_normalised(tiny_paths, tmp_path):
    noise = np.random.default_rng(0).normal(size=(100, 4))
    features = FeatureSet("noise", "noise", {}, lambda corpus, _: noise[: len(corpus.clips)])
    evaluate(Baseline(features, speaker_normalisation=True), tiny_paths, "", tmp_path)
    report = baseline_report({"noise": [tmp_path]})
    assert report.normalisation.endswith("Per speaker: noise.")
    assert report.normalisation in report.pieces[0].notes
    assert "linear SVM, with speaker normalisation" in report.protocol


def test_weights_are_known_by_what_is_in_them(spec, tmp_path):
    def job(**changes):
        (one,) = baseline_jobs(dataclasses.replace(spec, **changes), [VGG16])
        return one

    job().begin()
    flags = {f"--vgg16_weights={spec.vgg16_weights}", "--speaker_normalisation=True"}
    assert flags <= set(job().commands[0])
    moved = shutil.copy(spec.vgg16_weights, tmp_path / "moved.pth")
    job(vgg16_weights=str(moved)).check_folder()
    assert not job(vgg16_weights=str(moved)).is_finished()
    with pytest.raises(ValueError, match=r"config\.speaker_normalisation: the checkpoint has True"):
        job(speaker_normalisation=False).check_folder()
    other = json.loads((job().folder / "job.json").read_text())
    other["config"]["weights_sha256"] = "0"
    (job().folder / "job.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"config\.weights_sha256: the checkpoint has 0"):
        job().check_folder()


def test_vgg16_takes_part_where_its_weights_are_named(spec):
    asked = {*BASELINES} - {"resnet", "is10"} | {"scratch"}
    assert {job.name.partition("/")[0] for job in baseline_jobs(spec, [])} == asked
    without = dataclasses.replace(spec, vgg16_weights=None)
    assert VGG16 not in {job.name.partition("/")[0] for job in baseline_jobs(without, [])}


def test_missing_weights_are_one_clear_error(spec):
    with pytest.raises(
        ValueError, match=r"--vgg16_weights=no\.h5: no such file; VGG16's weights are at"
    ):
        list(baseline_jobs(dataclasses.replace(spec, vgg16_weights="no.h5"), []))
