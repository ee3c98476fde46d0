"""SVMs as cells of a plan: with weights that a person names, and speakers normalised."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from emojax.baselines.feature_sets import FeatureSet
from emojax.baselines.pipeline import Baseline, evaluate
from emojax.experiments.launch.plan import BASELINES, baseline_cells
from emojax.experiments.launch.spec import Request, parse_corpora
from emojax.experiments.table3 import baselines

ROOT = Path(__file__).parents[2]
VGG16 = "deepspectrum_vgg16"


@pytest.fixture
def request_(tmp_path, tiny_config, vgg16_pth, monkeypatch):
    monkeypatch.chdir(ROOT)
    configs = "configs/multi_corpus.py", "configs/scratch.py", "configs/adapt.py"
    corpora = parse_corpora(
        item for item in tiny_config.paths.corpora.split(",") if item.startswith("levels")
    )
    places = tmp_path, [0], tiny_config.paths.source_dir, tiny_config.paths.data_dir
    return Request(corpora, {}, *places, *configs, vgg16_weights=str(vgg16_pth), speaker_normalisation=True)


def test_the_table_says_that_speakers_were_normalised(tiny_paths, tmp_path):
    noise = np.random.default_rng(0).normal(size=(100, 4))
    features = FeatureSet("noise", "noise", {}, lambda corpus, _: noise[: len(corpus.clips)])
    evaluate(Baseline(features, speaker_normalisation=True), tiny_paths, "", tmp_path)
    report = baselines({"noise": [tmp_path]})
    assert report.normalisation.endswith("Per speaker: noise.")
    assert report.normalisation in report.pieces[0].notes
    assert "linear SVM, with speaker normalisation" in report.protocol


def test_weights_are_known_by_what_is_in_them(request_, tmp_path):
    def cell(**changes):
        (one,) = baseline_cells(dataclasses.replace(request_, **changes), [VGG16])
        return one

    cell().begin()
    flags = {f"--vgg16_weights={request_.vgg16_weights}", "--speaker_normalisation=True"}
    assert flags <= set(cell().commands[0])
    moved = shutil.copy(request_.vgg16_weights, tmp_path / "moved.pth")
    assert not cell(vgg16_weights=str(moved)).is_finished()
    with pytest.raises(ValueError, match=r"config\.speaker_normalisation: the checkpoint has True"):
        cell(speaker_normalisation=False).is_finished()
    other = json.loads((cell().folder / "cell.json").read_text())
    other["config"]["weights_sha256"] = "0"
    (cell().folder / "cell.json").write_text(json.dumps(other))
    with pytest.raises(ValueError, match=r"config\.weights_sha256: the checkpoint has 0"):
        cell().is_finished()


def test_vgg16_takes_part_where_its_weights_are_named(request_):
    assert {cell.name.partition("/")[0] for cell in baseline_cells(request_, [])} == {*BASELINES} - {
        "resnet"
    } | {"scratch"}
    without = dataclasses.replace(request_, vgg16_weights=None)
    assert VGG16 not in {cell.name.partition("/")[0] for cell in baseline_cells(without, [])}


def test_missing_weights_are_one_clear_error(request_):
    with pytest.raises(ValueError, match=r"--vgg16_weights=no\.h5: no such file; VGG16's weights are at"):
        list(baseline_cells(dataclasses.replace(request_, vgg16_weights="no.h5"), []))
