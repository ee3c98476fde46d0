import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.models.adapter_resnet import AdapterResNet

FULL = AdapterResNet(classes=3, width=4, depth=1, dropout=0.0, fast_conv=False)
HALF = FULL.clone(compute_dtype=jnp.bfloat16, fast_conv=True)
# An answer has some twenty roundings of at most 2⁻⁹ behind it, which add up like the steps of a
# random walk: about 1 % of the size of the answers; four times as much does not happen by chance.
TOLERANCE = 4 * np.sqrt(20) * 2**-9
FRAMES = np.array([40, 23, 1, 40, 31, 8, 0], np.int32)


@pytest.fixture(scope="module")
def variables():
    """At random: adapters begin at zero and norms at one, which could hide a mistake."""
    inputs = jnp.zeros((1, 8, 64)), jnp.array([8]), jnp.ones(3, bool)
    fresh = jax.eval_shape(functools.partial(FULL.init, train=False), jax.random.key(0), *inputs)
    random = np.random.default_rng(0)

    def draw(path, leaf):
        size = (
            np.sqrt(2 / np.prod(leaf.shape[:-1])) if path[-1].key in ("kernel", "adapter") else 0.2
        )
        positive = path[-1].key in ("scale", "variance")
        return jnp.asarray(positive + random.uniform(-size, size, leaf.shape), jnp.float32)

    return jax.tree_util.tree_map_with_path(draw, fresh)


@pytest.fixture(scope="module")
def mel():
    """Clips of three classes, each loud in mels of its own."""
    mel = np.random.default_rng(1).normal(0, 1, (len(FRAMES), 40, 64))
    for row, frames in enumerate(FRAMES):
        mel[row, :, 20 * (row % 3) : 20 * (row % 3) + 20] += 1
        mel[row, frames:] = 0
    return mel.astype(np.float32)


@functools.partial(jax.jit, static_argnums=(0, 4))
def forward(model, variables, mel, frames=FRAMES, train=False):
    rngs = {"dropout": jax.random.key(0)}
    ones = jnp.ones(model.classes, bool)
    return model.apply(
        variables, mel, jnp.asarray(frames), ones, train=train, rngs=rngs, mutable=["stats"]
    )


@functools.partial(jax.jit, static_argnums=0)
def loss_and_gradients(model, variables, mel):
    def loss(params):
        output, updated = forward(model, {**variables, "params": params}, mel, FRAMES, True)
        return -jax.nn.log_softmax(output.logits)[jnp.arange(6), jnp.arange(6) % 3].mean(), updated

    return jax.value_and_grad(loss, has_aux=True)(variables["params"])


def assert_close(half, full):
    assert half.dtype == jnp.float32
    assert np.isfinite(half).all()
    np.testing.assert_allclose(half, full, rtol=0, atol=TOLERANCE * np.abs(full).max())


def test_half_precision_answers_like_full_precision(variables, mel):
    (half, _), (full, _) = (forward(model, variables, mel) for model in (HALF, FULL))
    assert_close(half.logits, full.logits)
    assert_close(half.embedding, full.embedding)
    assert np.abs(half.embedding - full.embedding).max() > 0


def test_gradients_and_statistics_are_full_precision(variables, mel):
    (loss, stats), gradients = loss_and_gradients(HALF, variables, mel)
    assert {leaf.dtype for leaf in jax.tree.leaves((loss, gradients))} == {np.dtype("float32")}
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    jax.tree.map(assert_close, stats, forward(FULL, variables, mel, FRAMES, True)[1])


@pytest.mark.parametrize("row", [1, 2, 5])
def test_padding_and_neighbours_change_no_half_precision_answer(variables, mel, row):
    frames = FRAMES[row]
    together, _ = forward(HALF, variables, mel, FRAMES)
    alone, _ = forward(HALF, variables, mel[row : row + 1, :frames], FRAMES[row : row + 1])
    assert_close(together.embedding[row], alone.embedding[0])
    assert_close(together.logits[row], alone.logits[0])


def test_training_in_half_precision_learns(variables, mel):
    losses = []
    for _ in range(20):
        (loss, stats), gradients = loss_and_gradients(HALF, variables, mel)
        step = functools.partial(jax.tree.map, lambda param, gradient: param - 0.05 * gradient)
        variables = {"params": step(variables["params"], gradients), **stats}
        losses.append(float(loss))
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize("settings", [{}, {"fold_adapters": False}])
def test_norms_in_the_kernels_are_the_norms(variables, mel, settings):
    """Evaluate with a batch's moments as statistics: the result equals that in training."""
    with jax.enable_x64(True):
        model = FULL.clone(compute_dtype=jnp.float64, **settings)
        variables, mel = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), (variables, mel))
        training, updated = forward(model, variables, mel, FRAMES, True)
        moments = jax.tree.map(
            lambda new, old: 10 * new - 9 * old, updated["stats"], variables["stats"]
        )
        evaluation, _ = forward(model, {**variables, "stats": moments}, mel)
        np.testing.assert_allclose(evaluation.embedding, training.embedding, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(evaluation.logits, training.logits, rtol=1e-9, atol=1e-12)
