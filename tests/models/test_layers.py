"""Each layer by itself, against its formula."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from emojax.models.layers import AttentionPool, MaskedBatchNorm, halve


def test_attention_without_smoothing_weight_is_the_mean_over_valid_positions():
    x = jax.random.normal(jax.random.key(0), (1, 6, 8, 4)).at[:, 4:].set(0)
    mask = jnp.array([1, 1, 1, 1, 0, 0.0])[None, :, None, None]
    pool = AttentionPool(units=8, smoothing=0.0)
    pooled = pool.apply(pool.init(jax.random.key(1), x, mask), x, mask)
    np.testing.assert_allclose(pooled, x[:, :4].mean((1, 2)), rtol=1e-5)


def test_attention_follows_equations_2_to_4():
    x = jax.random.normal(jax.random.key(0), (1, 2, 3, 4))
    pool = AttentionPool(units=5, smoothing=0.3)
    variables = pool.init(jax.random.key(1), x, jnp.ones((1, 2, 1, 1)))
    weight, bias = (np.asarray(variables["params"]["hidden"][name]) for name in ("kernel", "bias"))
    u = np.asarray(variables["params"]["u"]["kernel"])[:, 0]
    flat = np.asarray(x).reshape(-1, 4)
    energy = np.tanh(flat @ weight + bias) @ u
    alpha = np.exp(0.3 * energy) / np.exp(0.3 * energy).sum()
    np.testing.assert_allclose(
        pool.apply(variables, x, jnp.ones((1, 2, 1, 1)))[0], alpha @ flat, rtol=1e-5
    )


def test_attended_deviation_is_that_of_the_valid_positions():
    x = jax.random.normal(jax.random.key(0), (2, 6, 8, 4)).at[0, 4:].set(0).at[1].set(0)
    mask = jnp.array([[1, 1, 1, 1, 0, 0], [0.0] * 6])[..., None, None]
    pool = AttentionPool(units=8, smoothing=0.0, deviation=True)
    variables = pool.init(jax.random.key(1), x, mask)
    mean, deviation = np.split(np.asarray(pool.apply(variables, x, mask)), 2, axis=1)
    plain = AttentionPool(units=8, smoothing=0.0)
    np.testing.assert_array_equal(mean, plain.apply(variables, x, mask))
    np.testing.assert_allclose(deviation[0], x[0, :4].std((0, 1)), rtol=1e-4)
    np.testing.assert_allclose(deviation[1], 0, atol=0.01)


def test_a_deviation_of_zero_has_a_gradient():
    x, mask = jnp.ones((1, 3, 4, 2)), jnp.ones((1, 3, 1, 1))
    pool = AttentionPool(units=4, deviation=True)
    variables = jax.jit(pool.init)(jax.random.key(0), x, mask)
    gradient = jax.jit(jax.grad(lambda x: pool.apply(variables, x, mask).sum()))(x)
    assert np.isfinite(gradient).all()


def test_masked_norm_is_the_plain_one_without_a_mask():
    x = jax.random.normal(jax.random.key(0), (3, 4, 5, 2)) * 3 + 1
    norm, mask = MaskedBatchNorm(2), jnp.ones((3, 4, 1, 1))
    y, _ = norm.apply(norm.init(jax.random.key(0), x, mask, True), x, mask, True, mutable=["stats"])
    expected = (x - x.mean((0, 1, 2))) / np.sqrt(np.asarray(x).var((0, 1, 2)) + 1e-5)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_sums_of_one_reduction_are_the_sums():
    x = jax.random.normal(jax.random.key(0), (3, 4, 5, 6))
    mask = jnp.arange(4)[:, None, None] < jnp.array([4, 2, 3])[:, None, None, None]
    params = {"scale": jnp.linspace(0.5, 2, 6), "bias": jnp.linspace(-1, 1, 6)}
    start = {"mean": jnp.zeros(6), "variance": jnp.ones(6)}

    def of(joint_sums):
        def loss(params, x):
            variables = {"params": params, "stats": start}
            norm = MaskedBatchNorm(6, joint_sums)
            y, stats = norm.apply(variables, x * mask, mask, True, mutable=["stats"])
            return (y**3).sum(), stats

        with jax.enable_x64(True):
            wide = jax.tree.map(lambda leaf: leaf.astype(float), (params, x))
            return jax.grad(loss, argnums=(0, 1), has_aux=True)(*wide)

    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-9), of(True), of(False))


def test_shortcut_pools_and_appends_zero_channels():
    x = jnp.arange(12.0).reshape(1, 3, 4, 1)
    pooled = halve(x, 3)
    assert pooled.shape == (1, 2, 2, 3)
    np.testing.assert_allclose(pooled[0, :, :, 0], [[2.5, 4.5], [4.25, 5.25]])
    assert not pooled[..., 1:].any()
