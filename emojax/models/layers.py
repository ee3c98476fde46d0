"""Layers whose results do not depend on padding.

They compute in the dtype of their input. Parameters, sums and statistics are at least float32.
"""

from __future__ import annotations

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from emojax.models import moments
from emojax.models.conv import adapted_conv, conv3x3

BATCH_NORM_MOMENTUM = 0.9
BATCH_NORM_EPSILON = 1e-5
DEVIATION_EPSILON = 1e-5


class AdaptedConv(nn.Module):
    """Shared 3×3 convolution with a parallel 1×1 adapter of a corpus (figure 6 of the paper).

    The adapter starts at zero, so a new corpus starts with the shared trunk.

    Attributes:
      features: output channels.
      stride: 1 or 2, in time and frequency.
      adapters: use an adapter.
      fold: add the adapter to the kernel's centre tap instead of a second convolution.
      fast_conv: see :func:`emojax.models.conv.conv3x3`.
      frozen: do not train the shared kernel.
      pooling: append the input's 2×2 averages, as of :func:`halve`, as C more channels.
    """

    features: int
    stride: int = 1
    adapters: bool = True
    fold: bool = True
    fast_conv: bool = False
    frozen: bool = False
    pooling: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, factor: jax.Array | float = 1.0) -> jax.Array:
        """Map float ``[B, F, M, C]`` to ``[B, ⌈F/stride⌉, ⌈M/stride⌉, features]`` of its dtype.

        Args:
          x: the input.
          factor: f32 ``[features]``, multiplies each output channel.
        """
        channels = x.shape[-1]
        kernel = (
            self.param("kernel", nn.initializers.he_normal(), (3, 3, channels, self.features))
            * factor
        )
        if self.pooling:
            kernel = jnp.concatenate([kernel, _averages(channels)], axis=-1)
        if not self.adapters:
            return conv3x3(x, kernel, self.stride, fast=self.fast_conv)
        adapter = self.param("adapter", nn.initializers.zeros, (channels, self.features)) * factor
        if self.pooling:
            adapter = widen(adapter, self.features + channels)
        return adapted_conv(
            x, kernel, adapter, self.stride, fold=self.fold, fast=self.fast_conv, frozen=self.frozen
        )


class MaskedBatchNorm(nn.Module):
    """Batch normalisation whose statistics exclude padded frames and filler rows.

    Attributes:
      features: C.
      joint_sums: sum in the reductions of :mod:`emojax.models.moments` (equal up to rounding).
    """

    features: int
    joint_sums: bool = False

    def setup(self):
        """Create the corpus's parameters and running statistics."""
        zeros, ones = nn.initializers.zeros, nn.initializers.ones
        self.scale = self.param("scale", ones, (self.features,))
        self.bias = self.param("bias", zeros, (self.features,))
        self.mean = self.variable("stats", "mean", jnp.zeros, (self.features,))
        self.variance = self.variable("stats", "variance", jnp.ones, (self.features,))

    def __call__(self, x: jax.Array, mask: jax.Array, train: bool) -> jax.Array:
        """Normalise float ``[B, ..., C]`` with a mask that broadcasts to ``[B, ..., 1]``.

        ``x`` must be 0 where the mask is 0.
        """
        wide = _wide(x)
        if train:
            mean, variance = _masked_moments(wide, mask, self.joint_sums)
            if not self.is_initializing():
                for stored, new in ((self.mean, mean), (self.variance, variance)):
                    stored.value = (
                        BATCH_NORM_MOMENTUM * stored.value + (1 - BATCH_NORM_MOMENTUM) * new
                    )
            factor, offset = self._affine(mean, variance)
        else:
            factor, offset = self.stored()
        y = moments.scale(wide, factor, offset) if self.joint_sums else wide * factor + offset
        return y.astype(x.dtype)

    def stored(self) -> tuple[jax.Array, jax.Array]:
        """Return the stored statistics as factor and offset, f32 ``[C]``, without gradients."""
        return jax.lax.stop_gradient(self._affine(self.mean.value, self.variance.value))

    def _affine(self, mean: jax.Array, variance: jax.Array) -> tuple[jax.Array, jax.Array]:
        factor = self.scale * jax.lax.rsqrt(variance + BATCH_NORM_EPSILON)
        return factor, self.bias - mean * factor


def _wide(x: jax.Array) -> jax.Array:
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _masked_moments(x: jax.Array, mask: jax.Array, joint_sums: bool) -> tuple[jax.Array, jax.Array]:
    """Compute mean and variance of each channel."""
    axes = tuple(range(x.ndim - 1))
    size = x.size // x.shape[-1] / mask.size
    count = jnp.maximum(jnp.sum(_wide(mask)) * size, 1.0)
    # One pass over memory; x is 0 where the mask is 0.
    if joint_sums:
        mean, mean_square = (one / count for one in moments.sums(x))
    else:
        mean = jnp.sum(x, axes) / count
        mean_square = jnp.sum(jnp.square(x), axes) / count
    return mean, jnp.maximum(mean_square - jnp.square(mean), 0.0)


def halve(x: jax.Array, features: int) -> jax.Array:
    """Halve a block's shortcut: 2×2 average pooling, then zero channels up to ``features``.

    An odd edge is pooled with zeros, like the padded frames of a longer batch. The shape changes
    from ``[B, F, M, C]`` to ``[B, ⌈F/2⌉, ⌈M/2⌉, features]``.
    """
    batch, frames, mels, channels = x.shape
    x = jnp.pad(x, ((0, 0), (0, frames % 2), (0, mels % 2), (0, 0)))
    x = x.reshape(batch, (frames + 1) // 2, 2, (mels + 1) // 2, 2, channels).mean((2, 4))
    return widen(x, features)


def widen(x: jax.Array, channels: int) -> jax.Array:
    """Append zero channels to float ``[..., C]`` up to ``channels``."""
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, channels - x.shape[-1])])


def _averages(channels: int) -> np.ndarray:
    """Return the kernel of stride 2 that averages 2×2 positions, f32 ``[3, 3, C, C]``."""
    kernel = np.zeros((3, 3, channels, channels), np.float32)
    kernel[1:, 1:] = np.eye(channels) / 4  # without the taps on the positions before
    return kernel


class AttentionPool(nn.Module):
    """2-D self-attention over time and frequency (equations 2 to 4 of the paper).

    Attributes:
      units: size of the hidden layer and of u.
      smoothing: λ; 0 is the mean over all positions, 1 an unsmoothed softmax.
      deviation: append the attended standard deviation to the mean.
    """

    units: int = 256
    smoothing: float = 0.3
    deviation: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """Pool float ``[B, F, M, C]`` with a mask ``[B, F, 1, 1]`` to f32 ``[B, C or 2 C]``."""
        hidden = jnp.tanh(nn.Dense(self.units, dtype=x.dtype, name="hidden")(x))
        sums = functools.partial(jax.lax.dot_general, preferred_element_type=_wide(x).dtype)
        energy = nn.Dense(1, use_bias=False, dtype=x.dtype, dot_general=sums, name="u")(hidden)
        # A finite value, so that a filler row without valid positions does not become NaN.
        energy = jnp.where(mask > 0, self.smoothing * energy, -1e30)
        weights = jax.nn.softmax(energy, axis=(1, 2))
        mean = jnp.sum(weights * x, axis=(1, 2))
        if not self.deviation:
            return mean
        variance = jnp.sum(weights * jnp.square(x - mean[:, None, None]), axis=(1, 2))
        # The square root's gradient is infinite at 0.
        return jnp.concatenate([mean, jnp.sqrt(variance + DEVIATION_EPSILON)], axis=-1)
