import csv
import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pytest

import datasets
from emojax.baselines.feature_sets import FeatureSet, open_features
from emojax.baselines.pipeline import Baseline, evaluate
from emojax.corpora.spec import read_clips, write_clips
from emojax.data.prepared import open_corpus
from emojax.evaluation.score_files import table


def told(corpus, cache_dir):
    """Features that give the label away."""
    labels = [corpus.spec.labels.index(clip.label) for clip in corpus.clips]
    return np.eye(3, dtype=np.float32)[labels]


TELLING = FeatureSet("telling", "told labels", {"teller": "1.0"}, told)


@pytest.mark.parametrize("partition", ["default", "loso", "fold:3"])
def test_files_are_those_of_evaluate_py_and_folds_are_pooled(tiny_paths, tmp_path, partition):
    results = evaluate(
        Baseline(TELLING, partition=partition), tiny_paths, tmp_path, tmp_path / "a" / "b"
    )
    written = json.loads((tmp_path / "a" / "b" / "results.json").read_text())
    assert set(written["corpora"]) == {"tones", "levels"}
    keys = (
        "command commit part utterance step devel_uar config versions mean_uar corpora "
        "complexity gamma features"
    )
    assert set(written) == set(keys.split())
    assert written["config"] == {
        "features": "telling",
        "classifier": "linear",
        "partition": partition,
        "seed": 0,
        "speaker_normalisation": False,
    }
    assert written["features"] == "told labels"
    assert written["versions"]["teller"] == "1.0"
    with open(tmp_path / "a" / "b" / "predictions.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for result in results:
        clips = open_corpus(tiny_paths[result.corpus]).clips
        files = [row["file"] for row in rows if row["corpus"] == result.corpus]
        assert result.n == len(files) == len(set(files))
        assert (result.n == len(clips)) == (partition != "default")
        assert files == [clip.file for clip in clips if clip.file in set(files)]
        assert result.uar == 1.0
        for row in (row for row in rows if row["corpus"] == result.corpus):
            probabilities = json.loads(row["probabilities"])
            assert tuple(probabilities) == result.labels
            assert sum(probabilities.values()) == pytest.approx(1, abs=1e-5)
            assert max(probabilities, key=probabilities.get) == row["prediction"] == row["label"]
        assert "no speaker normalisation" in result.protocol
    assert (tmp_path / "a" / "b" / "confusion.png").exists()


def test_speaker_normalisation_is_named(tiny_paths, tmp_path):
    (result, _) = evaluate(
        Baseline(TELLING, "rbf", speaker_normalisation=True), tiny_paths, "", tmp_path
    )
    assert result.protocol.endswith("; told labels, rbf SVM, with speaker normalisation")
    assert json.loads((tmp_path / "results.json").read_text())["devel_uar"]["tones"] is None


def test_random_folds_are_speaker_dependent_in_every_row(tiny_paths, tmp_path):
    results = evaluate(Baseline(TELLING, "rbf_cv", "random:3"), tiny_paths, tmp_path, tmp_path)
    lines = table(results).splitlines()
    for result, line in zip(results, lines[1:], strict=False):
        assert result.n == len(open_corpus(tiny_paths[result.corpus]).clips)
        assert line.startswith(f"{result.corpus} (speaker-dependent)")
    gammas = json.loads((tmp_path / "results.json").read_text())["gamma"]
    assert [len(gammas[result.corpus]) for result in results] == [3, 3]
    assert all(gamma > 0 for some in gammas.values() for gamma in some)


def test_a_wrong_partition_is_known_before_the_first_feature(tiny_paths, tmp_path):
    untouched = FeatureSet("untouched", "", {}, lambda *_: pytest.fail("extracted"))
    with pytest.raises(ValueError, match="scheme 'halves'; allowed"):
        evaluate(Baseline(untouched, partition="halves"), tiny_paths, tmp_path, tmp_path)


def test_a_corpus_without_speakers_is_known_before_the_first_feature(tiny_paths, tmp_path):
    mute = shutil.copytree(tiny_paths["tones"], tmp_path / "1.0.0")
    clips = [dataclasses.replace(clip, speaker="") for clip in read_clips(mute / "clips.csv")]
    write_clips(mute / "clips.csv", clips)
    untouched = FeatureSet("untouched", "", {}, lambda *_: pytest.fail("extracted"))
    with pytest.raises(ValueError, match="the speaker of every clip, which mute does not name"):
        evaluate(
            Baseline(untouched, speaker_normalisation=True),
            {**tiny_paths, "mute": mute},
            "",
            tmp_path,
        )


def test_an_unknown_classifier_is_one_clear_error():
    with pytest.raises(ValueError, match="classifier='tree'; choose one of linear, rbf, rbf_cv"):
        Baseline(TELLING, "tree")


def test_results_name_the_backbone(vgg16_pth, tiny_paths, tmp_path):
    features = open_features("deepspectrum_vgg16", str(vgg16_pth))
    paths = {"levels": tiny_paths["levels"]}
    (result,) = evaluate(Baseline(features), paths, tmp_path / "features", tmp_path)
    assert "DeepSpectrum (VGG16, fc2), linear SVM" in result.protocol
    written = json.loads((tmp_path / "results.json").read_text())
    assert (
        written["versions"]["weights_sha256"] == hashlib.sha256(vgg16_pth.read_bytes()).hexdigest()
    )


def test_emodb_is_as_published(corpora_dir, tmp_path):
    """UAR 77.08: audEERING, https://github.com/audeering/w2v2-how-to, openSMILE's ComParE, SVC."""
    pytest.importorskip("opensmile")
    paths = datasets.prepare("emodb", corpora_dir, tmp_path)
    (result,) = evaluate(
        Baseline(open_features("compare"), "rbf", "loso"), paths, tmp_path / "features", tmp_path
    )
    assert 100 * result.uar == pytest.approx(77.08, abs=0.005)
