import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.models.cnn_lstm import CnnLstm
from emojax.models.cost import forward_flops
from emojax.models.subtrees import split

SMALL = CnnLstm(classes=3, conv_features=4, lstm_units=5, dense_units=6, adapter_rank=2)
ALL = jnp.ones(3, bool)


def sizes(tree):
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def params_of(model):
    inputs = jnp.zeros((1, 54_000)), jnp.full(1, 54_000), jnp.ones(model.classes, bool)
    init = lambda: model.init(jax.random.key(0), *inputs, train=False)  # noqa: E731
    return jax.eval_shape(init)["params"]


def test_the_parameters_are_those_of_the_layers():
    shared, own = split(params_of(CnnLstm(classes=6)))
    convolutions = (64 + 1) * 128 + (8 * 128 + 1) * 128
    lstm = 4 * 500 * (128 + 500 + 1)
    dense = 2 * (1000 + 1) * 1000
    assert sizes(shared) == convolutions + lstm + dense
    adapters = 8 * (128 + 2000 + 500 + 2000)
    assert sizes(own) == adapters + (1000 + 1) * 6


def test_the_papers_cnn_has_no_lstm_and_its_two_outputs_can_be_those_of_two_directions():
    assert "lstm_forward" not in params_of(CnnLstm(classes=6, recurrence="none"))
    both = params_of(CnnLstm(classes=6, recurrence="directions", adapters=False))
    for name in ("lstm_forward", "lstm_backward"):
        assert both[name]["input_kernel"].shape == (128, 2000)
    assert both["dense0"]["kernel"].shape == (1000, 1000)


@pytest.fixture(scope="module")
def clips():
    random = np.random.default_rng(0)
    return [random.normal(0.3, 0.2, n).astype(np.float32) for n in (9_000, 4_001, 500)]


def outputs_of(model, variables, clips, samples):
    audio = np.zeros((len(clips), samples), np.float32)
    for row, clip in enumerate(clips):
        audio[row, : len(clip)] = clip
    inputs = model.inputs(jnp.asarray(audio), jnp.array([len(clip) for clip in clips]))
    return jax.jit(lambda *x: model.apply(variables, *x, ALL, train=False))(*inputs)


@pytest.mark.parametrize("recurrence", ["directions", "halves", "none"])
def test_a_clip_is_the_same_alone_in_a_batch_and_at_any_level(clips, recurrence):
    model = SMALL.clone(recurrence=recurrence)
    inputs = jnp.zeros((1, 9_000)), jnp.full(1, 9_000), ALL
    variables = jax.jit(functools.partial(model.init, train=False))(jax.random.key(0), *inputs)
    together = outputs_of(model, variables, clips, 12_000)
    for row, clip in enumerate(clips):
        alone = outputs_of(model, variables, [10 * clip - 1], len(clip))
        np.testing.assert_allclose(together.embedding[row], alone.embedding[0], atol=1e-5)
        np.testing.assert_allclose(together.logits[row], alone.logits[0], atol=1e-5)


def test_silence_and_filler_rows_are_finite():
    inputs = jnp.zeros((2, 5_000)), jnp.array([5_000, 0])

    @jax.jit
    def answer(key):
        given = *SMALL.inputs(*inputs), ALL
        return SMALL.init_with_output(key, *given, train=False)[0]

    output = answer(jax.random.key(0))
    assert np.isfinite(output.logits).all()


def test_all_steps_of_the_lstm_are_counted():
    longer = forward_flops(SMALL, 60_000) / forward_flops(SMALL, 30_000)
    assert longer == pytest.approx(2, rel=0.05)
