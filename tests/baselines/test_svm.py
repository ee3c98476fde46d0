import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from emojax.baselines import svm

PARTS = {"train": np.arange(0, 60), "devel": np.arange(60, 90), "test": np.arange(90, 150)}


@pytest.fixture
def clips():
    """Features of very different scales and three labels, of which they say something."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 150)
    return (rng.normal(size=(150, 20)) + 0.9 * np.eye(20)[labels]) * 10.0 ** rng.integers(
        -3, 4, 20
    ), labels


def test_rbf_is_scikit_learn_s_on_train_and_devel(clips):
    features, labels = clips
    expected = make_pipeline(StandardScaler(), SVC(gamma="auto", C=1)).fit(
        features[:90], labels[:90]
    )
    answer = svm.rbf(features, labels, PARTS)
    np.testing.assert_array_equal(answer.predicted, expected.predict(features[90:]))
    assert answer.devel_uar is None


def test_linear_takes_the_best_c_on_devel_and_learns_from_both(clips):
    features, labels = clips
    scaler = StandardScaler().fit(features[:60])
    scaled = scaler.transform(features)
    scores = {}
    for complexity in svm.COMPLEXITIES:
        predicted = (
            SVC(C=complexity, kernel="linear").fit(scaled[:60], labels[:60]).predict(scaled[60:90])
        )
        truth = labels[60:90]
        scores[complexity] = np.mean(
            [np.mean(predicted[truth == label] == label) for label in range(3)]
        )
    best = max(scores, key=scores.__getitem__)
    answer = svm.linear(features, labels, PARTS)
    assert answer.complexity == best
    assert answer.devel_uar == pytest.approx(scores[best])
    expected = SVC(C=best, kernel="linear").fit(scaled[:90], labels[:90]).predict(scaled[90:])
    np.testing.assert_array_equal(answer.predicted, expected)


@pytest.mark.parametrize("classify", svm.CLASSIFIERS.values())
def test_the_test_part_changes_nothing_but_its_own_answers(clips, classify):
    features, labels = clips
    before = classify(features, labels, PARTS)
    features[100:] *= 1000
    labels[90:] = 0
    after = classify(features, labels, PARTS)
    assert (after.complexity, after.devel_uar) == (before.complexity, before.devel_uar)
    np.testing.assert_array_equal(after.predicted[:10], before.predicted[:10])


def test_the_grid_is_the_paper_s():
    assert (min(svm.COMPLEXITIES), max(svm.COMPLEXITIES), len(svm.COMPLEXITIES)) == (1e-9, 1.0, 10)


@pytest.mark.parametrize("classify", svm.CLASSIFIERS.values())
def test_a_clip_without_features_is_answered(clips, classify):
    features, labels = clips
    features[[3, 95]] = np.nan
    assert set(classify(features, labels, PARTS).predicted) <= {0, 1, 2}


def test_speaker_normalisation_takes_away_what_is_the_speaker_s():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 3))
    speakers = ["a"] * 20 + ["b"] * 20
    moved = features.copy()
    moved[20:] = 5 * moved[20:] + 100
    np.testing.assert_allclose(
        svm.per_speaker(moved, speakers), svm.per_speaker(features, speakers)
    )
    with pytest.raises(ValueError, match="switch it off"):
        svm.per_speaker(features, ["a"] * 39 + [""])
