import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

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


@pytest.mark.parametrize("backward", [False, True])
def test_the_written_gradient_is_that_of_the_outputs(inputs, backward):
    x, length = inputs
    lstm = AdaptedLSTM(UNITS, rank=2, backward=backward)
    params = lstm.init(jax.random.key(0), x, length)["params"]
    params["bias"] = jnp.linspace(-1.0, 1.0, 4 * UNITS)

    @jax.jit
    def outputs(params, x):
        return lstm.apply({"params": params}, x, length)

    check_grads(outputs, (params, x), order=1, modes=["rev"], atol=1e-2, rtol=1e-2)
    grad = jax.grad(lambda x: outputs(params, x).sum())(x)
    assert not grad[1, 4:].any()  # padding
    assert grad[1, :4].any()
    assert not grad[2].any()


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
