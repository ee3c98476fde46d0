import numpy as np
import pytest
from scipy.special import log_softmax, softmax
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


def test_inner_folds_choose_c_and_gamma_and_keep_a_speaker_on_one_side(clips):
    features, labels = clips
    speakers = np.arange(150) % 7
    seen, scores = np.arange(90), {}
    scaled = StandardScaler().fit(features[:90]).transform(features)
    folds = svm.inner_folds(labels[:90], speakers[:90])
    assert sorted(set(folds)) == [0, 1, 2, 3, 4]
    assert all(len(set(folds[speakers[:90] == speaker])) == 1 for speaker in range(7))
    for gamma, complexity in svm._GRID:
        model = SVC(C=complexity, gamma=gamma / 20)
        predicted = np.empty(90, int)
        for fold in range(5):
            inside, outside = seen[folds != fold], seen[folds == fold]
            predicted[outside] = model.fit(scaled[inside], labels[inside]).predict(scaled[outside])
        hits = [np.mean(predicted[labels[:90] == label] == label) for label in range(3)]
        scores[gamma, complexity] = np.mean(hits)
    gamma, complexity = max(scores, key=scores.__getitem__)
    answer = svm.rbf_cv(features, labels, PARTS, speakers)
    assert (answer.gamma, answer.complexity) == (gamma / 20, complexity)
    expected = SVC(C=complexity, gamma=gamma / 20).fit(scaled[:90], labels[:90])
    np.testing.assert_array_equal(answer.predicted, expected.predict(scaled[90:]))


@pytest.mark.parametrize("speakers", [None, np.zeros(90, int)])
def test_inner_folds_of_one_speaker_are_of_clips(clips, speakers):
    folds = svm.inner_folds(clips[1][:90], speakers)
    assert np.bincount(folds).tolist() == [18] * 5


def test_ties_of_votes_are_settled_as_by_the_svm(clips):
    features, _ = clips
    labels = np.random.default_rng(1).integers(0, 6, 150)  # noise: many ties
    both = np.arange(90)
    scaled = StandardScaler().fit_transform(features[both])
    model = SVC(gamma="auto", C=1).fit(scaled, labels[both])
    unseen = StandardScaler().fit(features[both]).transform(features[90:])
    assert (model.decision_function(unseen).argmax(axis=1) != model.predict(unseen)).any()
    answer = svm.rbf(features, labels, PARTS)
    np.testing.assert_array_equal(answer.predicted, model.predict(unseen))
    of_predicted = answer.probabilities[np.arange(60), answer.predicted]
    np.testing.assert_allclose(of_predicted, answer.probabilities.max(axis=1))


@pytest.mark.parametrize("classify", svm.CLASSIFIERS.values())
@pytest.mark.parametrize("several", [True, False])
def test_probabilities_are_a_label_s_share_and_highest_for_the_answer(clips, classify, several):
    features, labels = clips
    if not several:
        labels = np.minimum(labels, 1)
    answer = classify(features, labels, PARTS)
    assert answer.probabilities.shape == (60, 3 if several else 2)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(answer.probabilities.argmax(axis=1), answer.predicted)


def test_the_temperature_makes_devel_likeliest(clips):
    features, labels = clips
    scaled = StandardScaler().fit(features[:90]).transform(features)
    known = SVC(gamma="auto", C=1).fit(scaled[:60], labels[:60])
    values = known.decision_function(scaled[60:90])
    model = SVC(gamma="auto", C=1).fit(scaled[:90], labels[:90])
    unseen = model.decision_function(scaled[90:])
    tried = np.geomspace(0.1, 100, 400)
    likelihoods = [
        log_softmax(values / t, axis=1)[np.arange(30), labels[60:90]].mean() for t in tried
    ]
    best = tried[np.argmax(likelihoods)]
    assert 0.5 < best < 50
    answer = svm.rbf(features, labels, PARTS)
    agrees = answer.predicted == unseen.argmax(axis=1)  # others are ties of votes
    expected = softmax(unseen / best, axis=1)
    np.testing.assert_allclose(answer.probabilities[agrees], expected[agrees], atol=0.01)


@pytest.mark.parametrize("classify", svm.CLASSIFIERS.values())
def test_a_label_that_nobody_learnt_gets_no_probability(clips, classify):
    features, labels = clips
    labels[:90] = np.minimum(labels[:90], 1)
    labels[60] = 2  # in devel, not in train
    answer = classify(features, labels, {**PARTS, "devel": np.arange(61, 90)})
    assert answer.probabilities[:, 2].tolist() == [0] * 60
    answer = classify(features, labels, PARTS)
    assert np.isfinite(answer.probabilities).all()


@pytest.mark.parametrize("classify", svm.CLASSIFIERS.values())
@pytest.mark.parametrize("count", [2, 3])
def test_a_devel_part_without_a_mistake_makes_sure_but_not_certain(clips, classify, count):
    labels = clips[1] % count
    answer = classify(np.eye(count)[labels], labels, PARTS)  # the smallest C is the best of linear
    np.testing.assert_array_equal(answer.predicted, labels[90:])
    assert answer.probabilities.max(axis=1).min() > 0.9
    assert answer.probabilities.min() > 1e-6


@pytest.mark.parametrize("classify", svm.CLASSIFIERS.values())
def test_the_test_part_changes_nothing_but_its_own_answers(clips, classify):
    features, labels = clips
    before = classify(features, labels, PARTS)
    features[100:] *= 1000
    labels[90:] = 0
    after = classify(features, labels, PARTS)
    assert (after.complexity, after.devel_uar) == (before.complexity, before.devel_uar)
    np.testing.assert_array_equal(after.predicted[:10], before.predicted[:10])
    np.testing.assert_array_equal(after.probabilities[:10], before.probabilities[:10])


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
