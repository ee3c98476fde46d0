"""Gradients through float16 neither vanish nor overflow, and a run in float16 learns."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.data.batches import Batch
from emojax.models.adapter_resnet import AdapterResNet
from emojax.training.loss_scale import FIRST_SCALE, value_and_grad
from emojax.training.train_state import init_state
from emojax.training.train_step import train_step
from emojax.training.transfer import sgd

HALF = jnp.float16


@pytest.mark.parametrize("factor", [1e-8, 1.0, 1e3, 6e4])
def test_a_gradient_of_any_size_passes(factor):
    def loss_fn(a, b):  # its gradient is computed in float16
        return factor * (a["w"] * b).astype(HALF).astype(jnp.float32), {"seen": b}

    params = {"w": jnp.float32(2)}, jnp.float32(1)
    (loss, aux), grads = jax.jit(value_and_grad(loss_fn, HALF))(*params)
    (expected, _), full = value_and_grad(loss_fn, jnp.float64)(*params)
    assert loss == expected
    assert aux == {"seen": 1}
    if factor == 1e-8:
        assert float(full[0]["w"]) == 0
        full = {"w": factor}, 2 * factor
    for ours, theirs in zip(jax.tree.leaves(grads), jax.tree.leaves(full), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-2)


def test_only_float16_is_scaled():
    def program(dtype):
        loss_fn = lambda a, b: (a * b, ())  # noqa: E731
        return str(jax.make_jaxpr(value_and_grad(loss_fn, dtype))(1.0, 1.0))

    assert str(FIRST_SCALE) in program(HALF)
    for dtype in (jnp.float32, jnp.bfloat16):
        assert str(FIRST_SCALE) not in program(dtype)


def test_what_no_scale_helps_ends():
    loss_fn = lambda a, b: (a * jnp.inf, ())  # noqa: E731
    (loss, _), _ = jax.jit(value_and_grad(loss_fn, HALF))(1.0, 1.0)
    assert loss == np.inf


def losses_in(dtype):
    """Losses of steps on one batch of three tones in noise."""
    model = AdapterResNet(classes=3, width=4, depth=1, dropout=0.0, compute_dtype=dtype)
    optimizers = (sgd(0.9, 1e-6),) * 2
    state = init_state(model, {"a": np.ones(3, "f")}, {"a": 3}, optimizers, jax.random.key(0))
    shared, corpus = state.shared, state.corpora["a"]
    label, time_s = np.arange(9, dtype=np.int32) % 3, np.arange(2_048) / 16_000
    tones = 3_000 * np.sin(2 * np.pi * time_s * (300 * 4.0**label)[:, None])
    noise = np.random.default_rng(0).normal(0, 300, tones.shape)
    batch = Batch((tones + noise).astype(np.int16), np.full(9, 2_048, np.int32), label)
    step = jax.jit(functools.partial(train_step, model=model, optimizers=optimizers))
    losses = []
    for number in range(5):
        shared, corpus, loss = step(shared, corpus, batch, jax.random.key(number), 0.02)
        losses.append(float(loss))
    return losses


def test_a_run_in_float16_learns_like_one_in_float32():
    half, full = losses_in(HALF), losses_in(jnp.float32)
    assert half[0] == pytest.approx(full[0], rel=0.02)
    assert half[-1] < 0.3 * half[0]
    assert half[-1] == pytest.approx(full[-1], rel=0.3)
