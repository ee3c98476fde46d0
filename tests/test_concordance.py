import jax.numpy as jnp
import numpy as np

from emojax.concordance import concordance


def test_it_is_lins_formula_and_rows_without_weight_count_for_nothing():
    random = np.random.default_rng(0)
    truth = random.normal(size=(9, 2))
    predicted = 0.5 * truth + random.normal(size=(9, 2)) + 1
    weight = np.array([1.0] * 7 + [0.0] * 2)[:, None]
    t, p = truth[:7], predicted[:7]
    wanted = [
        2
        * np.cov(t[:, d], p[:, d], bias=True)[0, 1]
        / (t[:, d].var() + p[:, d].var() + (t[:, d].mean() - p[:, d].mean()) ** 2)
        for d in range(2)
    ]
    np.testing.assert_allclose(concordance(truth, predicted, weight), wanted)
    own = concordance(jnp.asarray(truth), jnp.asarray(predicted), jnp.asarray(weight))
    np.testing.assert_allclose(own, wanted, rtol=1e-5)


def test_a_shift_and_a_scale_cost_what_correlation_does_not_see():
    truth, one = np.arange(10.0)[:, None], np.ones((10, 1))
    assert concordance(truth, truth, one) == 1
    assert concordance(truth, -truth + 9, one) == -1
    assert 0 < concordance(truth, truth + 3, one) < 1
    assert 0 < concordance(truth, 2 * truth - 4.5, one) < 1
