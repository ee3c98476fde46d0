"""Layers that never let padding change an answer: every one of them takes the mask."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from emojax.models.conv import adapted_conv, conv3x3

BATCH_NORM_MOMENTUM = 0.9
BATCH_NORM_EPSILON = 1e-5


class AdaptedConv(nn.Module):
    """Shared 3×3 convolution with a corpus's 1×1 adapter in parallel (figure 6 of the paper).

    The adapter begins at zero: a fresh corpus starts as the shared trunk.

    Attributes:
      features: output channels.
      stride: 1 or 2, in time and frequency.
      adapters: whether there is an adapter at all.
      fold: add the adapter to the kernel's centre tap instead of a second convolution.
      fast_conv: see :func:`emojax.models.conv.conv3x3`.
      frozen: whether the shared kernel is trained no further.
    """

    features: int
    stride: int = 1
    adapters: bool = True
    fold: bool = True
    fast_conv: bool | None = None
    frozen: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """f32 ``[B, F, M, C]`` → f32 ``[B, ⌈F/stride⌉, ⌈M/stride⌉, features]``."""
        channels = x.shape[-1]
        kernel = self.param("kernel", nn.initializers.he_normal(), (3, 3, channels, self.features))
        if not self.adapters:
            return conv3x3(x, kernel, self.stride, fast=self.fast_conv)
        adapter = self.param("adapter", nn.initializers.zeros, (channels, self.features))
        return adapted_conv(
            x, kernel, adapter, self.stride, fold=self.fold, fast=self.fast_conv, frozen=self.frozen
        )


class MaskedBatchNorm(nn.Module):
    """Batch normalisation whose statistics leave padded frames and filler rows out."""

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array, train: bool) -> jax.Array:
        """f32 ``[B, ..., C]`` with a mask f32 that broadcasts to ``[B, ..., 1]`` → f32 like ``x``.

        ``x`` must be zero where the mask is.
        """
        features = x.shape[-1]
        scale = self.param("scale", nn.initializers.ones, (features,))
        bias = self.param("bias", nn.initializers.zeros, (features,))
        stats = {
            "mean": self.variable("stats", "mean", jnp.zeros, (features,)),
            "variance": self.variable("stats", "variance", jnp.ones, (features,)),
        }
        if train:
            batch = _masked_moments(x, mask)
            if not self.is_initializing():
                for name, old in stats.items():
                    old.value = BATCH_NORM_MOMENTUM * old.value + (1 - BATCH_NORM_MOMENTUM) * batch[name]
        else:
            batch = {name: value.value for name, value in stats.items()}
        factor = scale * jax.lax.rsqrt(batch["variance"] + BATCH_NORM_EPSILON)
        return x * factor + (bias - batch["mean"] * factor)


def _masked_moments(x: jax.Array, mask: jax.Array) -> dict[str, jax.Array]:
    axes = tuple(range(x.ndim - 1))
    size = x.size // x.shape[-1] / mask.size
    count = jnp.maximum(jnp.sum(mask) * size, 1.0)
    mean = jnp.sum(x, axes) / count
    # One pass over memory; x is zero where the mask is, so the sums need none.
    variance = jnp.maximum(jnp.sum(jnp.square(x), axes) / count - jnp.square(mean), 0.0)
    return {"mean": mean, "variance": variance}


def halve(x: jax.Array, features: int) -> jax.Array:
    """Shortcut of a block with stride 2: 2×2 average pooling, then zero channels up to ``features``.

    An odd edge is pooled with zeros, as the padded frames of a longer batch would be.
    f32 ``[B, F, M, C]`` → f32 ``[B, ⌈F/2⌉, ⌈M/2⌉, features]``.
    """
    batch, frames, mels, channels = x.shape
    x = jnp.pad(x, ((0, 0), (0, frames % 2), (0, mels % 2), (0, 0)))
    x = x.reshape(batch, (frames + 1) // 2, 2, (mels + 1) // 2, 2, channels).mean((2, 4))
    return jnp.pad(x, ((0, 0), (0, 0), (0, 0), (0, features - channels)))


class AttentionPool(nn.Module):
    """2-D self-attention over time and frequency (equations 2 to 4 of the paper).

    Attributes:
      units: size of the hidden layer and of u.
      smoothing: λ; 0 is the mean over all positions, 1 an unsmoothed softmax.
    """

    units: int = 256
    smoothing: float = 0.3

    @nn.compact
    def __call__(self, x: jax.Array, mask: jax.Array) -> jax.Array:
        """f32 ``[B, F, M, C]`` with a mask f32 ``[B, F, 1, 1]`` → f32 ``[B, C]``."""
        energy = nn.Dense(1, use_bias=False, name="u")(jnp.tanh(nn.Dense(self.units, name="hidden")(x)))
        # A finite floor: a filler row has no valid position, and must not become NaN.
        energy = jnp.where(mask > 0, self.smoothing * energy, -1e30)
        weights = jax.nn.softmax(energy, axis=(1, 2))
        return jnp.sum(weights * x, axis=(1, 2))
