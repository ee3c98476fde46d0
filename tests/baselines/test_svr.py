import numpy as np
import pytest
from sklearn.svm import SVR

from emojax.baselines.svm import COMPLEXITIES
from emojax.baselines.svr import linear_svr

PARTS = {"train": np.arange(40), "devel": np.arange(40, 60), "test": np.arange(60, 80)}


def test_it_is_scikit_learns_with_the_c_that_devel_prefers_in_the_units_of_the_numbers():
    random = np.random.default_rng(0)
    features = random.normal(5, 3, (80, 6))
    numbers = np.stack([100 + 10 * features[:, 0], features[:, 1] ** 2], axis=1)
    numbers += random.normal(size=numbers.shape)
    answer = linear_svr(features, numbers, PARTS)
    train = features[PARTS["train"]]
    scaled = (features - train.mean(0)) / train.std(0)
    own = numbers[PARTS["train"], 0]
    target = (numbers[:, 0] - own.mean()) / own.std()
    svr = SVR(kernel="linear", C=answer.complexity[0]).fit(scaled[:60], target[:60])
    wanted = svr.predict(scaled[60:]) * own.std() + own.mean()
    np.testing.assert_allclose(answer.predicted[:, 0], wanted, rtol=1e-3)
    assert set(answer.complexity) <= set(COMPLEXITIES)
    assert np.corrcoef(answer.predicted[:, 0], numbers[60:, 0])[0, 1] > 0.95
    assert 0.5 < answer.devel_uar < 1


def test_without_devel_there_is_nothing_to_choose_by():
    parts = {**PARTS, "devel": np.array([], int)}
    with pytest.raises(ValueError, match="in devel, by which its C is chosen"):
        linear_svr(np.zeros((80, 2)), np.zeros((80, 1)), parts)
