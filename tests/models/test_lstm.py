import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.models.lstm import AdaptedKernel, lstm

UNITS, CHANNELS = 4, 3
KERNEL = AdaptedKernel(UNITS)


@pytest.fixture
def inputs():
    random = np.random.default_rng(0)
    return random.normal(size=(3, 6, CHANNELS)).astype(np.float32), jnp.array([6, 4, 0])


def random_params(seed):
    """Parameters of one direction, without zeros."""
    random = np.random.default_rng(seed)
    shapes = jax.eval_shape(lambda: KERNEL.init(jax.random.key(0), CHANNELS))["params"]
    return jax.tree.map(lambda leaf: random.normal(size=leaf.shape).astype(np.float32), shapes)


def outputs_of(params, x, length):
    """The outputs of a direction for each of the parameters."""
    kernels = [KERNEL.apply({"params": own}, CHANNELS) for own in params]
    return lstm(x, length, kernels)


def test_outputs_are_those_of_flax(inputs):
    x, length = inputs
    params, theirs = random_params(1), {}
    for place, gate in enumerate("ifgo"):
        columns = slice(place * UNITS, (place + 1) * UNITS)
        theirs[f"i{gate}"] = {"kernel": params["input_kernel"][:, columns]}
        theirs[f"h{gate}"] = {
            "kernel": params["recurrent_kernel"][:, columns],
            "bias": params["bias"][columns],
        }
    flax_lstm = nn.RNN(nn.LSTMCell(UNITS))
    expected = flax_lstm.apply({"params": {"cell": theirs}}, x, seq_lengths=length)
    [outputs] = outputs_of([params], x, length)
    for row, valid in enumerate(length):
        np.testing.assert_allclose(outputs[row, :valid], expected[row, :valid], atol=1e-6)


def test_padding_changes_nothing_and_a_filler_row_is_zero(inputs):
    x, length = inputs
    params = random_params(1), random_params(2)
    noise = np.where(np.arange(6)[:, None] < length[:, None, None], x, 9.0)
    given = (x, length), (x[1:2, :4], length[1:2]), (noise, length)
    results = [outputs_of(params, *one) for one in given]
    for direction, end in ((0, -1), (1, 0)):
        outputs, alone, noisy = (own[direction][:, end] for own in results)
        np.testing.assert_allclose(outputs[1], alone[0], atol=1e-6)
        np.testing.assert_allclose(noisy, outputs, atol=1e-6)
        assert not outputs[2].any()


def test_the_second_direction_is_the_first_of_the_reversed_clip(inputs):
    x, _ = inputs
    length, params = jnp.full(3, 6), random_params(1)
    _, backward = outputs_of([random_params(2), params], x, length)
    [forward] = outputs_of([params], x[:, ::-1], length)
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


@pytest.mark.parametrize("directions", [1, 2])
def test_the_written_gradient_is_that_of_a_plain_loop(inputs, directions):
    x, length = inputs
    params = [random_params(seed) for seed in range(directions)]
    weights = np.random.default_rng(1).normal(size=(2, len(x), UNITS)).astype(np.float32)

    def ours(params, x):
        ends = zip(outputs_of(params, x, length), (-1, 0), weights, strict=False)
        return sum((out[:, end] * weight).sum() for out, end, weight in ends)

    def theirs(params, x):
        last = [reference(own, x, length, bool(way)) for way, own in enumerate(params)]
        return sum((own * weight).sum() for own, weight in zip(last, weights, strict=False))

    both = jax.jit(lambda *given: [jax.grad(f, (0, 1))(*given) for f in (ours, theirs)])
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-5), *both(params, x))


def test_adapters_begin_at_zero_and_fold_into_the_kernels():
    adapted = AdaptedKernel(UNITS, rank=2)
    params = adapted.init(jax.random.key(0), CHANNELS)["params"]
    plain = {name: leaf for name, leaf in params.items() if not name.startswith("adapter")}

    def kernels():
        return adapted.apply({"params": params}, CHANNELS), KERNEL.apply(
            {"params": plain}, CHANNELS
        )

    jax.tree.map(np.testing.assert_array_equal, *kernels())
    for name in ("input", "recurrent"):
        params[f"adapter_{name}_up"] = jnp.ones((2, 4 * UNITS))
        plain[f"{name}_kernel"] += params[f"adapter_{name}_down"] @ params[f"adapter_{name}_up"]
    jax.tree.map(functools.partial(np.testing.assert_allclose, atol=1e-6), *kernels())
