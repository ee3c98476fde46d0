import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.models.lstm import AdaptedLSTM

UNITS, CHANNELS = 4, 3


@pytest.fixture
def inputs():
    random = np.random.default_rng(0)
    return random.normal(size=(3, 6, CHANNELS)).astype(np.float32), jnp.array([6, 4, 0])


def test_outputs_are_those_of_flax(inputs):
    x, length = inputs
    lstm = AdaptedLSTM(UNITS)
    params = lstm.init(jax.random.key(0), x, length)["params"]
    random = np.random.default_rng(1)
    params["bias"] = jnp.asarray(random.normal(size=4 * UNITS).astype(np.float32))
    theirs = {}
    for place, gate in enumerate("ifgo"):
        columns = slice(place * UNITS, (place + 1) * UNITS)
        theirs[f"i{gate}"] = {"kernel": params["input_kernel"][:, columns]}
        theirs[f"h{gate}"] = {
            "kernel": params["recurrent_kernel"][:, columns],
            "bias": params["bias"][columns],
        }
    flax_lstm = nn.RNN(nn.LSTMCell(UNITS))
    expected = flax_lstm.apply({"params": {"cell": theirs}}, x, seq_lengths=length)
    outputs = lstm.apply({"params": params}, x, length)
    for row, valid in enumerate(length):
        np.testing.assert_allclose(outputs[row, :valid], expected[row, :valid], atol=1e-6)


@pytest.mark.parametrize("backward", [False, True])
def test_padding_changes_nothing_and_a_filler_row_is_zero(inputs, backward):
    x, length = inputs
    lstm = AdaptedLSTM(UNITS, backward=backward)
    variables = lstm.init(jax.random.key(0), x, length)
    end = 0 if backward else -1
    outputs = lstm.apply(variables, x, length)[:, end]
    alone = lstm.apply(variables, x[1:2, :4], length[1:2])[:, end]
    noise = np.where(np.arange(6)[:, None] < length[:, None, None], x, 9.0)
    np.testing.assert_allclose(outputs[1], alone[0], atol=1e-6)
    np.testing.assert_allclose(lstm.apply(variables, noise, length)[:, end], outputs, atol=1e-6)
    assert not outputs[2].any()


def test_backward_is_forward_of_the_reversed_clip(inputs):
    x, _ = inputs
    length = jnp.full(3, 6)
    variables = AdaptedLSTM(UNITS).init(jax.random.key(0), x, length)
    forward = AdaptedLSTM(UNITS).apply(variables, x[:, ::-1], length)
    backward = AdaptedLSTM(UNITS, backward=True).apply(variables, x, length)
    np.testing.assert_allclose(backward, forward[:, ::-1], atol=1e-6)


def reference(params, x, length, backward):
    """The last outputs by a loop whose gradient JAX derives."""

    def step(carry, now):
        cell, hidden = carry
        x, valid = now
        gates = x @ params["input_kernel"] + hidden @ params["recurrent_kernel"] + params["bias"]
        enter, keep, new, leave = jnp.split(gates, 4, axis=-1)
        new_cell = jax.nn.sigmoid(keep) * cell + jax.nn.sigmoid(enter) * jnp.tanh(new)
        new_hidden = jax.nn.sigmoid(leave) * jnp.tanh(new_cell)
        return (jnp.where(valid, new_cell, cell), jnp.where(valid, new_hidden, hidden)), None

    valid = (jnp.arange(x.shape[1])[:, None] < length)[..., None]
    zeros = jnp.zeros((len(x), UNITS))
    steps = x.swapaxes(0, 1), valid
    return jax.lax.scan(step, (zeros, zeros), steps, reverse=backward)[0][1]


@pytest.mark.parametrize("backward", [False, True])
def test_the_written_gradient_is_that_of_a_plain_loop(inputs, backward):
    x, length = inputs
    lstm, random = AdaptedLSTM(UNITS, backward=backward), np.random.default_rng(1)
    shapes = jax.eval_shape(lambda: lstm.init(jax.random.key(0), x, length))["params"]
    params = jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float32), shapes)
    weights = random.normal(size=(len(x), UNITS)).astype(np.float32)

    def ours(params, x):
        return (lstm.apply({"params": params}, x, length)[:, 0 if backward else -1] * weights).sum()

    def theirs(params, x):
        return (reference(params, x, length, backward) * weights).sum()

    both = jax.jit(lambda *given: [jax.grad(f, (0, 1))(*given) for f in (ours, theirs)])
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-5), *both(params, x))


def test_adapters_begin_at_zero_and_fold_into_the_kernels(inputs):
    x, length = inputs
    adapted = AdaptedLSTM(UNITS, rank=2)
    params = adapted.init(jax.random.key(0), x, length)["params"]
    plain = {name: leaf for name, leaf in params.items() if not name.startswith("adapter")}
    np.testing.assert_array_equal(
        adapted.apply({"params": params}, x, length),
        AdaptedLSTM(UNITS).apply({"params": plain}, x, length),
    )
    for name in ("input", "recurrent"):
        params[f"adapter_{name}_up"] = jnp.ones((2, 4 * UNITS))
        plain[f"{name}_kernel"] += params[f"adapter_{name}_down"] @ params[f"adapter_{name}_up"]
    np.testing.assert_allclose(
        adapted.apply({"params": params}, x, length),
        AdaptedLSTM(UNITS).apply({"params": plain}, x, length),
        atol=1e-6,
    )
