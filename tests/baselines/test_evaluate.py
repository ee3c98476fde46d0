import csv
import json

import numpy as np
import pytest

import datasets
from emojax.baselines import evaluate as module
from emojax.baselines.evaluate import Baseline, evaluate
from emojax.data.prepared import open_corpus


@pytest.fixture
def telling(monkeypatch):
    """Features that give the label away, without openSMILE."""

    def features(corpus, feature_set, cache_dir):
        labels = [corpus.spec.labels.index(clip.label) for clip in corpus.clips]
        return np.eye(3, dtype=np.float32)[labels]

    monkeypatch.setattr(module, "functionals", features)
    monkeypatch.setattr(module, "opensmile_version", lambda: "0")
    monkeypatch.setattr(module, "version", lambda name: "0")


@pytest.mark.parametrize("partition", ["default", "loso", "fold:3"])
def test_files_are_those_of_evaluate_py_and_folds_are_pooled(telling, tiny_paths, tmp_path, partition):
    results = evaluate(Baseline(partition=partition), tiny_paths, tmp_path, tmp_path / "a" / "b")
    written = json.loads((tmp_path / "a" / "b" / "results.json").read_text())
    assert set(written["corpora"]) == {"tones", "levels"}
    keys = "command commit part utterance step devel_uar config versions mean_uar corpora complexity"
    assert set(written) == set(keys.split())
    assert written["config"]["speaker_normalisation"] is False
    with open(tmp_path / "a" / "b" / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for result in results:
        clips = open_corpus(tiny_paths[result.corpus]).clips
        files = [row["file"] for row in rows if row["corpus"] == result.corpus]
        assert result.n == len(files) == len(set(files))
        assert (result.n == len(clips)) == (partition != "default")
        assert files == [clip.file for clip in clips if clip.file in set(files)]
        assert result.uar == 1.0
        assert "no speaker normalisation" in result.protocol
    assert (tmp_path / "a" / "b" / "confusion.png").exists()


def test_speaker_normalisation_is_named(telling, tiny_paths, tmp_path):
    (result, _) = evaluate(Baseline("compare", "rbf", speaker_normalisation=True), tiny_paths, "", tmp_path)
    assert result.protocol.endswith("; ComParE_2016, rbf SVM, with speaker normalisation")
    assert json.loads((tmp_path / "results.json").read_text())["devel_uar"]["tones"] is None


def test_a_wrong_partition_is_known_before_the_first_feature(telling, tiny_paths, tmp_path, monkeypatch):
    monkeypatch.delattr(module, "functionals")
    with pytest.raises(ValueError, match="scheme 'fold:1/9'; allowed"):
        evaluate(Baseline(partition="fold:9"), tiny_paths, tmp_path, tmp_path)


def test_what_there_is_not_is_one_clear_error():
    with pytest.raises(ValueError, match="features='mfcc'; choose one of egemaps, compare"):
        Baseline("mfcc")
    with pytest.raises(ValueError, match="classifier='tree'; choose one of linear, rbf"):
        Baseline(classifier="tree")


def test_emodb_is_as_published(corpora_dir, tmp_path):
    """UAR 77.08: audEERING, https://github.com/audeering/w2v2-how-to, ComParE 2016 of openSMILE and SVC."""
    pytest.importorskip("opensmile")
    paths = datasets.prepare("emodb", corpora_dir, tmp_path)
    (result,) = evaluate(Baseline("compare", "rbf", "loso"), paths, tmp_path / "features", tmp_path)
    assert 100 * result.uar == pytest.approx(77.08, abs=0.005)
