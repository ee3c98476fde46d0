import json

import numpy as np
import pytest
from sklearn.model_selection import ParameterGrid
from sklearn.svm import SVC

from emojax.baselines.adaptive_svm import AdaptiveSVC
from emojax.baselines.feature_sets import FeatureSet
from emojax.data.partitioned import open_corpora
from emojax.evaluation.comparison import predictions_of
from emojax.experiments.transferable.approaches import DOMAIN
from emojax.experiments.transferable.svms import fit_adapted, score_svm

pytest.importorskip("osqp", reason='needs OSQP: pip install "emojax[adaptive_svm]"')


def read(corpus, cache_dir):
    """Noise in which the label can be heard, louder in one corpus than in the other."""
    rng, known = np.random.default_rng(0), {"high": 0, "loud": 0, "middle": 1, "low": 2, "soft": 2}
    place = [known[clip.label] for clip in corpus.clips]
    return (rng.normal(size=(len(place), 4)) + 2 * np.eye(4)[place]) * (1 + len(corpus.clips))


@pytest.fixture(autouse=True)
def features(monkeypatch):
    made = FeatureSet("is10", "IS10", {}, read)
    monkeypatch.setattr("emojax.experiments.transferable.svms.open_features", lambda _: made)


@pytest.fixture
def division(words):
    return {"partition": "fold:1/3", "seed": 0, "label_words": words}


def test_one_svm_of_all_corpora_is_scored_as_a_network_of_them(tiny_paths, division, tmp_path):
    result = score_svm(tiny_paths, {}, tmp_path, tmp_path / "out", **division)
    domain = open_corpora(tiny_paths, domains=DOMAIN, **division)["emotion"]
    tested = [domain.clips[i].file for i in domain.partition.parts["test"]]
    rows = predictions_of(tmp_path / "out")["emotion"]
    assert sorted(rows) == sorted(tested)
    assert {file.partition("/")[0] for file in rows} == {"tones", "levels"}
    assert result.uar > 0.6
    run = json.loads((tmp_path / "out" / "results.json").read_text())
    assert run["config"] == {**division, "domains": DOMAIN, "features": "is10"}
    assert (run["part"], run["devel_uar"]) == ("test", {"emotion": None})


def test_an_svm_is_adapted_to_a_corpus_it_did_not_learn_from(tiny_paths, division, tmp_path):
    sources, target = ({name: tiny_paths[name]} for name in ("tones", "levels"))
    result = score_svm(sources, target, tmp_path, tmp_path / "out", **division)
    rows = predictions_of(tmp_path / "out")["emotion"]
    assert {file.partition("/")[0] for file in rows} == {"levels"}
    assert {row.prediction for row in rows.values()} <= {"anger", "sadness"}
    assert not any(row.probabilities for row in rows.values())
    assert "adaptive SVM of IS10, learnt from tones first" in result.protocol
    assert result.uar > 0.8


def test_c_and_gamma_of_the_correction_do_best_in_the_folds():
    rng = np.random.default_rng(0)
    y, folds = np.array(["anger", "fear"] * 30), np.arange(60) % 5
    X = rng.normal(size=(60, 3)) + (y == "fear")[:, None]
    source = SVC(decision_function_shape="ovo").fit(X[::3], y[::3])
    scores = {}
    for given in ParameterGrid({"C": (0.1, 1, 10), "gamma": (0.01 / 3, 0.1 / 3, 1 / 3)}):
        predicted = np.empty_like(y)
        for fold in range(5):
            svm = AdaptiveSVC(source, **given).fit(X[folds != fold], y[folds != fold])
            predicted[folds == fold] = svm.predict(X[folds == fold])
        scores[given["C"], given["gamma"]] = np.mean(predicted == y)  # labels are equally frequent
    svm = fit_adapted(source, X, y, folds)
    assert len({*scores.values()}) > 1
    assert scores[svm.C, svm.gamma] == max(scores.values())
    assert svm.source is source
