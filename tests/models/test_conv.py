import os
import subprocess
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.models.conv import adapted_conv, conv3x3

SHAPES = [
    (2, 6, 8, 3, 4),
    (2, 5, 7, 3, 4),
    (3, 1, 2, 1, 5),
    (3, 9, 6, 32, 40),
]  # B, H, W, C, outputs
pytestmark = [pytest.mark.parametrize("stride", [1, 2])]
every_shape = pytest.mark.parametrize("shape", SHAPES)


def inputs(shape, dtype="float64"):
    """A batch, a kernel, an adapter."""
    B, H, W, C, outputs = shape
    draw = np.random.default_rng(0).standard_normal
    return tuple(
        jnp.asarray(draw(s), dtype) for s in ((B, H, W, C), (3, 3, C, outputs), (C, outputs))
    )


def value_and_gradients(function, *inputs):
    """The value, and the gradients under a random cotangent, so that no error can cancel out."""
    y, pullback = jax.vjp(function, *inputs)
    return y, *pullback(jnp.asarray(np.random.default_rng(1).standard_normal(y.shape), y.dtype))


def assert_same(ours, theirs, tolerance=1e-12):
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype == b.dtype
        a, b = np.asarray(a, float), np.asarray(b, float)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(b).max())


def conv_by_definition(x, kernel, stride):
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    B, H, W, _ = x.shape
    y = np.zeros((B, -(-H // stride), -(-W // stride), kernel.shape[-1]))
    for i, j in np.ndindex(y.shape[1:3]):
        window = padded[:, i * stride : i * stride + 3, j * stride : j * stride + 3]
        y[:, i, j] = np.einsum("bhwc,hwco->bo", window, kernel)
    return y


@every_shape
def test_the_convolution_is_the_sum_over_nine_taps(shape, stride):
    with jax.enable_x64(True):
        x, kernel, _ = inputs(shape)
        y = conv3x3(x, kernel, stride)
        np.testing.assert_allclose(y, conv_by_definition(x, kernel, stride), rtol=1e-12, atol=1e-12)


@every_shape
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5), ("bfloat16", 2e-2)]
)
def test_the_fast_form_and_xla_agree(shape, stride, dtype, tolerance):
    with jax.enable_x64(dtype == "float64"):
        x, kernel, _ = inputs(shape, dtype)

        def run(fast):
            conv = lambda x, w: conv3x3(x, w, stride, fast=fast)  # noqa: E731
            return jax.jit(lambda *a: value_and_gradients(conv, *a))(x, kernel)

        assert_same(run(True), run(False), tolerance)


@every_shape
@pytest.mark.parametrize("fast", [True, False])
def test_folding_the_adapter_equals_two_convolutions(shape, stride, fast):
    with jax.enable_x64(True):

        def run(fold):
            conv = lambda x, w, a: adapted_conv(x, w, a, stride, fold=fold, fast=fast)  # noqa: E731
            return jax.jit(lambda *a: value_and_gradients(conv, *a))(*inputs(shape))

        assert_same(run(True), run(False))


@every_shape
@pytest.mark.parametrize("fold", [True, False])
def test_a_frozen_kernel_changes_no_other_gradient(shape, stride, fold):
    with jax.enable_x64(True):
        conv = partial(adapted_conv, stride=stride, fold=fold, fast=True)
        plain, frozen = (
            value_and_gradients(partial(conv, frozen=frozen), *inputs(shape))
            for frozen in (False, True)
        )
        assert not frozen[2].any()
        assert_same([*frozen[:2], frozen[3]], [*plain[:2], plain[3]])


@pytest.mark.parametrize(
    "how", [{"fast": True}, {"fold": False}, {"frozen": True, "fast": True}, {"frozen": True}]
)
def test_half_precision_has_full_gradients_of_the_parameters(stride, how):
    x, *parameters = inputs(SHAPES[-1], "float32")
    conv = partial(adapted_conv, stride=stride, **how)
    half = value_and_gradients(conv, x.astype("bfloat16"), *parameters)
    assert [str(part.dtype) for part in half] == ["bfloat16", "bfloat16", "float32", "float32"]
    full = value_and_gradients(conv, x, *parameters)
    assert_same([part.astype("float32") for part in half], full, tolerance=2e-2)


def test_the_weight_gradient_holds_the_patches_of_one_layer_only(stride):
    x, kernel, _ = inputs((64, 64, 64, 8, 8), "float32")  # several chunks, as in training

    def memory(fast):
        def loss(kernels):
            y = x
            for kernel in kernels:
                y = jax.nn.relu(conv3x3(y, kernel, fast=fast))
            return conv3x3(y, kernel, stride, fast=fast).sum()

        program = jax.jit(jax.grad(loss)).lower([kernel] * 8).compile()
        return program.memory_analysis().temp_size_in_bytes

    assert memory(True) < 2 * memory(False)


SHARDED = """
import jax, numpy as np
from jax.sharding import NamedSharding, PartitionSpec as P
from emojax.models.conv import adapted_conv
mesh = jax.sharding.Mesh(jax.devices(), ("batch",))
draw = np.random.default_rng(0).standard_normal
x, *weights = (draw(s).astype("f") for s in ((4, 6, 7, 3), (3, 3, 3, 5), (3, 5)))
loss = lambda x, w, a: (adapted_conv(x, w, a, {stride}, fast=True) ** 2).sum()
gradients = jax.jit(jax.grad(loss, (0, 1, 2)))
sharded = gradients(jax.device_put(x, NamedSharding(mesh, P("batch"))), *weights)
assert len(sharded[0].sharding.device_set) == 2
for a, b in zip(sharded, gradients(x, *weights)):
    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
"""


def test_a_batch_sharded_over_two_devices_gives_the_gradients_of_one(stride):
    environment = {
        **os.environ,
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=2",
    }
    subprocess.run(
        [sys.executable, "-c", SHARDED.format(stride=stride)], env=environment, check=True
    )
