"""3×3 convolutions with parallel 1×1 adapters, in the fastest form for the device.

* A parallel 1×1 convolution of the same stride equals a change of the 3×3 kernel's centre tap. An
  adapter that is added to the kernel therefore costs nothing (:func:`adapted_conv`).
* XLA's convolutions are slow on CPUs, especially the kernel's gradient. The same sums with fewer
  multiplications, or as matrix products, are faster (:func:`conv3x3`).

``benchmarks/run.py step`` measures both.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import lax

from emojax.models import winograd

# With fewer channels, Winograd's transforms cost more time than they save.
WINOGRAD_CHANNELS = 32


def conv3x3(x: jax.Array, kernel: jax.Array, stride: int = 1, *, fast: bool = False) -> jax.Array:
    """Convolve with one pixel of zero padding on every side, whatever the stride.

    Args:
      x: float [B, H, W, C].
      kernel: float [3, 3, C, O]; rounded to the dtype of ``x``.
      stride: 1 or 2, along both axes.
      fast: use the forms that are faster on CPUs instead of XLA's convolutions (equal up to
        rounding; gradients in reverse mode only).

    Returns:
      [B, ceil(H / stride), ceil(W / stride), O], of the dtype of ``x``.

    >>> conv3x3(jnp.ones((1, 3, 3, 1)), jnp.ones((3, 3, 1, 1)), stride=2)[0, :, :, 0].tolist()
    [[4.0, 4.0], [4.0, 4.0]]
    """
    return (_fast_conv if fast else _conv)(x, jnp.asarray(kernel, x.dtype), stride)


def adapted_conv(
    x: jax.Array,
    kernel: jax.Array,
    adapter: jax.Array,
    stride: int = 1,
    *,
    fold: bool = True,
    fast: bool = False,
    frozen: bool = False,
) -> jax.Array:
    """Sum a 3×3 convolution and the parallel 1×1 convolution of a corpus.

    This is the parallel residual adapter of Rebuffi et al. (2018, arXiv:1803.10082).

    Args:
      x: float [B, H, W, C].
      kernel: float [3, 3, C, O]; added to the adapter before it is rounded to the dtype of ``x``.
      adapter: float [C, O].
      stride: stride of both convolutions, 1 or 2.
      fold: add the adapter to the kernel's centre tap and convolve once; otherwise convolve twice
        and add. Equal up to rounding, forward and gradient.
      fast: see :func:`conv3x3`.
      frozen: compute no gradient for the kernel; saves about a fifth of the step on two cores.

    Returns:
      [B, ceil(H / stride), ceil(W / stride), O], of the dtype of ``x``.

    >>> x, kernel, adapter = jnp.ones((1, 4, 4, 2)), jnp.ones((3, 3, 2, 1)), jnp.ones((2, 1))
    >>> folded = adapted_conv(x, kernel, adapter)
    >>> bool((folded == adapted_conv(x, kernel, adapter, fold=False)).all())
    True
    """
    if frozen:
        kernel = lax.stop_gradient(kernel)
    if not fold:
        return conv3x3(x, kernel, stride, fast=fast) + x[:, ::stride, ::stride] @ adapter.astype(
            x.dtype
        )
    if frozen:
        return _frozen_conv(x, kernel, adapter, stride, fast)
    return conv3x3(x, _folded(kernel, adapter), stride, fast=fast)


def _folded(kernel: jax.Array, adapter: jax.Array) -> jax.Array:
    return kernel + jnp.pad(adapter[None, None], ((1, 1), (1, 1), (0, 0), (0, 0)))


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def _frozen_conv(
    x: jax.Array, kernel: jax.Array, adapter: jax.Array, stride: int, fast: bool
) -> jax.Array:
    return conv3x3(x, _folded(kernel, adapter), stride, fast=fast)


def _frozen_forward(x: jax.Array, kernel: jax.Array, adapter: jax.Array, stride: int, fast: bool):
    kernel = _folded(kernel, adapter).astype(x.dtype)
    return conv3x3(x, kernel, stride, fast=fast), (x, kernel, adapter)


def _frozen_backward(stride: int, fast: bool, inputs: tuple[jax.Array, ...], dy: jax.Array):
    """Compute the adapter's gradient as the folded kernel's centre tap, at a ninth of the cost."""
    x, kernel, adapter = inputs
    centres = x[:, ::stride, ::stride]
    dadapter = jnp.einsum("bhwc,bhwo->co", centres, dy, preferred_element_type=adapter.dtype)
    return _input_gradient(x, kernel, stride, dy, fast), None, dadapter


_frozen_conv.defvjp(_frozen_forward, _frozen_backward)


def _conv(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    return lax.conv_general_dilated(
        x, kernel, (stride, stride), ((1, 1), (1, 1)), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _fast_conv(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    if _is_winograd(x, kernel, stride):
        return winograd.conv(x, kernel)
    y = _conv(x, kernel, stride)
    # On CPUs, jaxlib 0.12 can give random NaNs when it fuses half-precision convolutions.
    return y if _is_full(x) else lax.optimization_barrier(y)


def _forward(
    x: jax.Array, kernel: jax.Array, stride: int
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _fast_conv(x, kernel, stride), (x, kernel)


def _backward(
    stride: int, inputs: tuple[jax.Array, jax.Array], dy: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = inputs
    dx = _input_gradient(x, kernel, stride, dy, fast=True)
    if _is_winograd(x, kernel, stride):
        return dx, winograd.kernel_gradient(x, dy)
    return dx, _kernel_gradient(x, dy, stride)


def _input_gradient(
    x: jax.Array, kernel: jax.Array, stride: int, dy: jax.Array, fast: bool
) -> jax.Array:
    if fast and _is_winograd(x, kernel, stride):
        return winograd.conv(dy, kernel[::-1, ::-1].swapaxes(2, 3))
    (dx,) = jax.linear_transpose(lambda x: _conv(x, kernel, stride), x)(dy)
    return dx


def _is_winograd(x: jax.Array, kernel: jax.Array, stride: int) -> bool:
    # Winograd's transforms lose too much accuracy in half precision.
    return _is_full(x) and stride == 1 and min(kernel.shape[2:]) >= WINOGRAD_CHANNELS


def _is_full(x: jax.Array) -> bool:
    return jnp.finfo(x.dtype).bits >= 32


def _kernel_gradient(x: jax.Array, dy: jax.Array, stride: int) -> jax.Array:
    """Compute patches times dy, [9C, B·H·W] @ [B·H·W, O], a few images at a time."""
    chunks, (B, H, W, outputs), channels = winograd.chunk_count(x), dy.shape, x.shape[-1]
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    last_row, last_column = stride * (H - 1) + 1, stride * (W - 1) + 1
    accumulator = jnp.promote_types(x.dtype, jnp.float32)

    def accumulate(total, images):
        x, dy = images
        taps = [
            x[:, i : i + last_row : stride, j : j + last_column : stride]
            for i in range(3)
            for j in range(3)
        ]
        patches = jnp.concatenate(taps, axis=-1).reshape(-1, 9 * channels)
        return total + jnp.matmul(
            patches.T, dy.reshape(-1, outputs), preferred_element_type=accumulator
        ), None

    images = [part.reshape(chunks, B // chunks, *part.shape[1:]) for part in (x, dy)]
    total, _ = jax.lax.scan(accumulate, jnp.zeros((9 * channels, outputs), accumulator), images)
    return total.reshape(3, 3, channels, outputs).astype(x.dtype)


_fast_conv.defvjp(_forward, _backward)
