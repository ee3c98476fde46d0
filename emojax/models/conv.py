"""3×3 convolutions with parallel 1×1 adapters, and a weight gradient that is fast on CPUs.

Two facts, measured by ``benchmarks/step_time.py``, shape this file:

* A parallel 1×1 convolution with the stride of its 3×3 convolution is that kernel's centre tap, so that an
  adapter costs nothing when it is added to the kernel before convolving (:func:`adapted_conv`).
* XLA's weight gradient of a convolution is slow on CPUs; the same sum as matrix products is faster
  (:func:`conv3x3`).
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import lax


def conv3x3(
    x: jax.Array, kernel: jax.Array, stride: int = 1, *, gemm_weight_gradient: bool | None = None
) -> jax.Array:
    """Convolves with one pixel of zero padding on every side, whatever the stride.

    Args:
      x: float [B, H, W, C].
      kernel: float [3, 3, C, O], of the dtype of ``x``.
      stride: 1 or 2, along both axes.
      gemm_weight_gradient: whether the kernel's gradient is computed by matrix products (faster on CPUs;
        reverse mode only) or by XLA's convolution; None: the former where JAX's default backend is a CPU.

    Returns:
      float [B, ceil(H / stride), ceil(W / stride), O].

    >>> conv3x3(jnp.ones((1, 3, 3, 1)), jnp.ones((3, 3, 1, 1)), stride=2)[0, :, :, 0].tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    if gemm_weight_gradient is None:
        gemm_weight_gradient = jax.default_backend() == "cpu"
    return (_gemm_conv if gemm_weight_gradient else _conv)(x, kernel, stride)


def adapted_conv(
    x: jax.Array,
    kernel: jax.Array,
    adapter: jax.Array,
    stride: int = 1,
    *,
    fold: bool = True,
    gemm_weight_gradient: bool | None = None,
) -> jax.Array:
    """The sum of a 3×3 convolution and of a corpus's 1×1 convolution beside it.

    The parallel residual adapter of Rebuffi et al. (2018, arXiv:1803.10082).

    Args:
      x: float [B, H, W, C].
      kernel: float [3, 3, C, O].
      adapter: float [C, O].
      stride: of both convolutions, 1 or 2.
      fold: add the adapter to the kernel's centre tap and convolve once; otherwise convolve twice and add.
        Equal up to rounding, forward and gradient.
      gemm_weight_gradient: see :func:`conv3x3`.

    Returns:
      float [B, ceil(H / stride), ceil(W / stride), O].

    >>> x, kernel, adapter = jnp.ones((1, 4, 4, 2)), jnp.ones((3, 3, 2, 1)), jnp.ones((2, 1))
    >>> bool((adapted_conv(x, kernel, adapter) == adapted_conv(x, kernel, adapter, fold=False)).all())
    True
    """
    if fold:
        kernel = kernel + jnp.pad(adapter[None, None], ((1, 1), (1, 1), (0, 0), (0, 0)))
        return conv3x3(x, kernel, stride, gemm_weight_gradient=gemm_weight_gradient)
    y = conv3x3(x, kernel, stride, gemm_weight_gradient=gemm_weight_gradient)
    return y + x[:, ::stride, ::stride] @ adapter


def _conv(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _gemm_conv(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    return _conv(x, kernel, stride)


def _forward(x: jax.Array, kernel: jax.Array, stride: int) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _conv(x, kernel, stride), (x, kernel)


def _backward(stride: int, inputs: tuple[jax.Array, jax.Array], dy: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, kernel = inputs
    (dx,) = jax.linear_transpose(lambda x: _conv(x, kernel, stride), x)(dy)
    return dx, _weight_gradient(x, dy, stride).astype(kernel.dtype)


def _weight_gradient(x: jax.Array, dy: jax.Array, stride: int) -> jax.Array:
    """One GEMM per kernel row, [3C, B·H·W] @ [B·H·W, O]."""
    channels, (_, H, W, outputs) = x.shape[-1], dy.shape
    # The patches wait for dy: XLA would gather those of all layers in the forward pass, and hold them.
    x = x + 0 * dy[0, 0, 0, 0]
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    last_row, last_column = stride * (H - 1) + 1, stride * (W - 1) + 1
    columns = jnp.concatenate([padded[:, :, j : j + last_column : stride] for j in range(3)], axis=-1)
    accumulator = jnp.promote_types(x.dtype, jnp.float32)

    def row(i):
        patches = columns[:, i : i + last_row : stride].reshape(-1, 3 * channels)
        gradient = jnp.matmul(patches.T, dy.reshape(-1, outputs), preferred_element_type=accumulator)
        return gradient.reshape(3, channels, outputs)

    # Stacked last, so that XLA drops two of the three where only the centre tap's gradient is asked for.
    return jnp.stack([row(i) for i in range(3)])


_gemm_conv.defvjp(_forward, _backward)
