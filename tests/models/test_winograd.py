import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.models import winograd


def inputs(B, H, W, C, outputs, dtype):
    draw = np.random.default_rng(0).standard_normal
    return tuple(
        jnp.asarray(draw(s), dtype) for s in ((B, H, W, C), (3, 3, C, outputs), (B, H, W, outputs))
    )


def by_definition(x, kernel):
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    _, H, W, _ = x.shape
    return sum(padded[:, i : i + H, j : j + W] @ kernel[i, j] for i in range(3) for j in range(3))


def gradient_by_definition(x, dy):
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    _, H, W, _ = x.shape
    taps = [[padded[:, i : i + H, j : j + W] for j in range(3)] for i in range(3)]
    return np.array([[np.einsum("bhwc,bhwo->co", tap, dy) for tap in row] for row in taps])


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (5, 7), (8, 12)])
@pytest.mark.parametrize("chunk_bytes", [1, 10**9])
def test_equals_the_nine_taps(size, chunk_bytes, monkeypatch):
    monkeypatch.setattr(winograd, "CHUNK_BYTES", chunk_bytes)
    with jax.enable_x64(True):
        x, kernel, dy = inputs(6, *size, 3, 5, "float64")
        np.testing.assert_allclose(winograd.conv(x, kernel), by_definition(x, kernel), atol=1e-11)
        np.testing.assert_allclose(
            winograd.kernel_gradient(x, dy),
            gradient_by_definition(x, dy),
            atol=1e-11 * np.prod(size),
        )


def test_rounds_as_little_as_float32_allows():
    x, kernel, dy = inputs(16, 20, 8, 64, 64, "float32")
    exact = by_definition(np.asarray(x, float), np.asarray(kernel, float))
    assert np.abs(winograd.conv(x, kernel) - exact).max() < 1e-5 * np.abs(exact).max()
    exact = gradient_by_definition(np.asarray(x, float), np.asarray(dy, float))
    assert np.abs(winograd.kernel_gradient(x, dy) - exact).max() < 1e-5 * np.abs(exact).max()


def test_needs_a_quarter_of_the_multiplications():
    x, kernel, _ = inputs(1, 32, 32, 256, 256, "float32")
    cost = jax.jit(winograd.conv).lower(x, kernel).compile().cost_analysis()
    assert (
        cost["flops"] < 0.4 * 2 * x.size * kernel[..., 0, :].size
    )  # a quarter, and the sums around it


def test_chunks_are_equal_and_small():
    for images in (1, 7, 12, 64):
        x = jnp.zeros((images, 64, 64, 32))
        chunks = winograd.chunk_count(x)
        assert images % chunks == 0
        assert chunks == images or x.nbytes // chunks <= winograd.CHUNK_BYTES
