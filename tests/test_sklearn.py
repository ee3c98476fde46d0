"""Estimators of scikit-learn over a trained run."""

import pickle
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks as checks

import emojax
from emojax.sklearn import EmbeddingTransformer, EmotionClassifier

# What is in scikit-learn's name for an estimator, and needs no X of numbers.
CHECKS = (
    checks.check_do_not_raise_errors_in_init_or_set_params,
    checks.check_estimator_repr,
    checks.check_estimator_tags_renamed,
    checks.check_get_params_invariance,
    checks.check_mixin_order,
    checks.check_no_attributes_set_in_init,
    checks.check_parameters_default_constructible,
    checks.check_set_params,
    checks.check_valid_tag_types,
)


@pytest.fixture(scope="module")
def recordings(tiny_sources):
    """Paths, pitches and speakers of the tones."""
    table = pd.read_csv(tiny_sources / "tones" / "labels.csv", dtype=str)
    table["path"] = [str(tiny_sources / "tones" / file) for file in table["file"]]
    return table


@pytest.fixture(scope="module")
def embedding(tiny_run):
    return EmbeddingTransformer(tiny_run, corpus="tones").fit()


@pytest.fixture(scope="module")
def classifier(tiny_run, recordings):
    own = EmotionClassifier(tiny_run, base_corpus="tones", rounds=20)
    return own.fit(list(recordings["path"]), recordings["label"])


def test_embeddings_are_those_of_the_model(embedding, tiny_run, recordings):
    model = emojax.load(tiny_run, corpus="tones")
    paths = list(recordings["path"][:3])
    expected = np.stack([model.embed(path) for path in paths])
    np.testing.assert_allclose(embedding.transform(paths), expected, atol=1e-5)


def test_every_column_of_paths_and_pairs_with_a_rate_are_recordings(embedding, recordings):
    paths = recordings["path"][:3]
    pairs = [soundfile.read(path, dtype="int16") for path in paths]
    expected = embedding.transform(list(paths))
    for X in (paths, paths.to_frame(), paths.to_numpy(), paths.to_numpy(str)[:, None], pairs):
        np.testing.assert_allclose(embedding.transform(X), expected, atol=1e-5)
    assert embedding.transform([]).shape == (0, expected.shape[1])


def test_pandas_output_has_the_rows_and_names(embedding, recordings):
    paths = recordings["path"].iloc[[4, 2]]
    table = clone(embedding).set_output(transform="pandas").fit_transform(paths)
    assert list(table.index) == [4, 2]
    assert list(table.columns) == list(embedding.get_feature_names_out())
    assert table.columns[0] == "embeddingtransformer0"


def test_a_pipeline_is_searched_over_speakers(embedding, recordings):
    pipeline = make_pipeline(clone(embedding), StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": [0.1, 1.0], "embeddingtransformer__corpus": ["tones"]}
    search = GridSearchCV(pipeline, grid, cv=GroupKFold(2), scoring="balanced_accuracy")
    paths, labels, speakers = (list(recordings[name]) for name in ("path", "label", "speaker"))
    search.fit(paths, labels, groups=speakers)
    assert search.best_score_ > 0.6  # tones of three pitches; chance is a third


def test_the_classifier_learns_its_own_labels(classifier, recordings):
    paths = list(recordings["path"])
    assert list(classifier.classes_) == ["high", "low", "middle"]
    shares = classifier.predict_proba(paths)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert list(classifier.predict(paths)) == list(classifier.classes_[shares.argmax(axis=1)])
    assert classifier.score(paths, recordings["label"]) > 0.6
    assert classifier.predict([]).shape == (0,)


def test_the_classifier_is_searched_over_speakers(classifier, recordings):
    paths, speakers = list(recordings["path"]), list(recordings["speaker"])
    numbers = recordings["label"].map({"low": 0, "middle": 5, "high": 2}).to_numpy()
    grid = {"rounds": np.array([1, 2])}
    search = GridSearchCV(clone(classifier), grid, cv=GroupKFold(2), error_score="raise")
    search.fit(paths, numbers, groups=speakers)
    assert list(search.classes_) == [0, 2, 5]
    assert set(search.predict(paths[:9])) <= {0, 2, 5}


def test_the_same_seed_gives_the_same_classifier(classifier, recordings):
    paths, speakers = list(recordings["path"]), list(recordings["speaker"])
    own = clone(classifier).set_params(rounds=1)
    folds = {"groups": speakers, "cv": GroupKFold(2), "method": "predict_proba"}
    one, other = (cross_val_predict(own, paths, recordings["label"], **folds) for _ in range(2))
    np.testing.assert_array_equal(one, other)


def test_a_pickle_holds_what_was_learnt_and_nothing_else(embedding, classifier, recordings):
    paths = list(recordings["path"][:3])
    assert len(pickle.dumps(embedding)) < 1_000
    again = pickle.loads(pickle.dumps(embedding))
    np.testing.assert_array_equal(again.transform(paths), embedding.transform(paths))
    again = pickle.loads(pickle.dumps(classifier)).set_params(base="runs/gone")
    np.testing.assert_array_equal(again.predict_proba(paths), classifier.predict_proba(paths))


def test_another_model_in_the_place_of_the_fitted_one_is_refused(tiny_run, recordings, tmp_path):
    shutil.copytree(tiny_run, tmp_path / "run")
    own = EmbeddingTransformer(str(tmp_path / "run"), corpus="tones").fit()
    pickled = pickle.dumps(own.set_params(corpus="levels"))
    with pytest.raises(ValueError, match="is another one than it was fitted with"):
        pickle.loads(pickled).transform(list(recordings["path"][:1]))


def test_all_bad_recordings_are_named(embedding, classifier, recordings):
    paths = [*recordings["path"][:2], "nowhere.wav", None]
    message = "2 of 4 recordings cannot be used: number 2: nowhere.wav.*; number 3: got NoneType"
    for use in (
        embedding.transform,
        classifier.predict,
        lambda X: clone(classifier).fit(X, list("aabb")),
    ):
        with pytest.raises(ValueError, match=message):
            use(paths)


@pytest.mark.parametrize(
    ("settings", "labels", "message"),
    [
        ({"base": "runs/nowhere"}, "abc", "runs/nowhere holds no checkpoint"),
        ({"base_corpus": "other"}, "abc", "unknown corpus 'other'"),
        ({"transfer": "scratch"}, "abc", "transfer='scratch'; give one of 'finetune'"),
        ({"rounds": 0}, "abc", "rounds == 0, must be >= 1"),
        ({}, "aaa", "y has one label, .*a.*; give recordings of at least two"),
        ({}, ["a", float("nan"), "b"], "y has nan at 1; give a text or a number"),
        ({}, ["a", None, "b"], "y has None at 1; give a text or a number"),
        ({}, "abca", "inconsistent numbers of samples: .3, 4."),
        ({}, [0.5, 0.7, 0.9], "continuous"),
    ],
)
def test_what_cannot_be_fitted_is_said(tiny_run, recordings, settings, labels, message):
    own = EmotionClassifier(**{"base": tiny_run, "rounds": 1, **settings})
    with pytest.raises(ValueError, match=message):
        own.fit(list(recordings["path"][:3]), list(labels))


def test_no_recordings_and_missing_labels_of_a_table_are_said(tiny_run, recordings):
    own = EmotionClassifier(tiny_run, base_corpus="tones", rounds=1)
    with pytest.raises(ValueError, match="y has no label; give recordings of at least two"):
        own.fit([], [])
    labels = recordings["label"].where(recordings["label"] != "middle")
    with pytest.raises(ValueError, match=r"y has nan at \d+; give a text or a number"):
        own.fit(recordings["path"], labels)


@pytest.mark.parametrize(
    "X", ["a.wav", np.zeros(16_000), np.zeros((2, 16_000)), np.array([["a.wav", "b.wav"]])]
)
def test_what_is_no_list_of_recordings_is_refused(embedding, X):
    with pytest.raises(ValueError, match=r"give (a list|one column)") as error:
        embedding.transform(X)
    assert len(str(error.value)) < 200


def test_nothing_is_asked_before_the_fit():
    with pytest.raises(NotFittedError):
        EmotionClassifier().predict(["a.wav"])
    with pytest.raises(NotFittedError):
        EmbeddingTransformer().get_feature_names_out()


@pytest.mark.parametrize("estimator", [EmbeddingTransformer(), EmotionClassifier()])
def test_estimators_are_as_scikit_learn_wants_them(estimator):
    with warnings.catch_warnings():
        # All checks that fit have an X of numbers.
        warnings.simplefilter("ignore", checks.SkipTestWarning)
        checks.check_estimator(estimator)
    for check in CHECKS:
        check(type(estimator).__name__, clone(estimator))
