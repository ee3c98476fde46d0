"""Residual network with parallel adapters (section 5.2 of the EmoNet paper), for one corpus."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from emojax.audio import augment, front_end
from emojax.models.layers import AdaptedConv, AttentionPool, MaskedBatchNorm, halve
from emojax.models.speech_network import SpeechNetwork

STACKS = 3


class AdapterResNet(SpeechNetwork):
    """Network of three stacks of residual blocks, attention pooling and a corpus's head.

    Attributes:
      width: channels of the first convolution; the stacks have 2, 4 and 8 times as many.
      depth: residual blocks per stack.
      attention_units: hidden units of the attention.
      attention_smoothing: λ of equation 3.
      attention_deviation: the embedding is the attended mean and standard deviation; D is twice
        as large.
      head_units: hidden units of the head.
      pitch_channels: the input has channels of pitch and voicing beside the log-mel, the columns
        behind the mels.
      fold_adapters: fold the 1×1 adapters into the convolutions (faster, the same function).
      fast_conv: see :func:`emojax.models.conv.conv3x3`.

    >>> model = AdapterResNet(classes=7)
    >>> inputs = jnp.zeros((2, 63, 64)), jnp.array([63, 40]), jnp.ones(7, bool)
    >>> init = lambda key: model.init_with_output(key, *inputs, train=False)
    >>> output, variables = jax.eval_shape(init, jax.random.key(0))
    >>> output.embedding.shape, output.logits.shape
    ((2, 256), (2, 7))
    """

    width: int = 32
    depth: int = 2
    attention_units: int = 256
    attention_smoothing: float = 0.3
    attention_deviation: bool = False
    head_units: int = 128
    pitch_channels: bool = False
    fold_adapters: bool = True
    fast_conv: bool | None = None

    @property
    def embedding_size(self) -> int:
        """Numbers of an embedding, D."""
        return 8 * self.width * (2 if self.attention_deviation else 1)

    def features(self, audio: jax.Array, length: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Compute the columns of each frame: :func:`emojax.audio.front_end.columns`."""
        return front_end.columns(audio, jnp.asarray(length), self.pitch_channels)

    def standardise(self, features: jax.Array, length: jax.Array) -> jax.Array:
        """Standardise what a frame has: :func:`emojax.audio.front_end.standardise`."""
        return front_end.standardise(features, length)

    def augment(
        self, features: jax.Array, length: jax.Array, key: jax.Array, **settings: float
    ) -> tuple[jax.Array, jax.Array]:
        """Distort and standardise log-mel: :func:`emojax.audio.augment.augment`."""
        return augment.augment(features, length, key, **settings)

    def plain(self) -> SpeechNetwork:
        """Return the network with folded adapters and plain convolutions."""
        return super().plain().clone(fast_conv=False, fold_adapters=True)

    def trunk(self, mel: jax.Array, frames: jax.Array, train: bool) -> jax.Array:
        """Compute the embedding of log-mel f32 ``[B, F, M]`` with i32 ``[B]`` valid frames.

        With pitch the log-mel is ``[B, F, M + 2]``.
        """
        train = train and not self.frozen_norms
        x = front_end.as_image(mel).astype(self.compute_dtype)
        mask = _mask(frames, x)
        x = self._conv_and_norm("conv", x, mask, self.width, 1, train) * mask
        for stack in range(STACKS):
            for block in range(self.depth):
                if block == 0:
                    frames = (frames + 1) // 2
                    mask = _mask(frames, x[:, ::2])
                x = self._block(
                    f"stack{stack}_block{block}", x, mask, 2 - (block > 0), stack, train
                )
        x = jax.nn.relu(MaskedBatchNorm(x.shape[-1], name="norm_last")(x, mask, train)) * mask
        how = self.attention_units, self.attention_smoothing, self.attention_deviation
        return AttentionPool(*how, name="attention")(x, mask)

    def head(self, embedding: jax.Array, rows: jax.Array, train: bool) -> jax.Array:
        """Compute logits by a hidden layer with a norm, and a last layer."""
        rows = rows[:, None].astype(jnp.float32)
        x = nn.Dense(self.head_units, name="head_hidden")(embedding) * rows
        x = jax.nn.relu(MaskedBatchNorm(self.head_units, name="head_norm")(x, rows, train))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return nn.Dense(self.classes, name="head_logits")(x)

    def _block(
        self, name: str, x: jax.Array, mask: jax.Array, stride: int, stack: int, train: bool
    ) -> jax.Array:
        features = self.width * 2 ** (stack + 1)
        y = (
            jax.nn.relu(self._conv_and_norm(f"{name}_conv0", x, mask, features, stride, train))
            * mask
        )
        y = self._conv_and_norm(f"{name}_conv1", y, mask, features, 1, train)
        shortcut = halve(x, features) if stride == 2 else x
        return jax.nn.relu(y + shortcut) * mask

    def _conv_and_norm(
        self, name: str, x: jax.Array, mask: jax.Array, features: int, stride: int, train: bool
    ) -> jax.Array:
        """Apply a convolution and its norm; the result is not masked, ``mask`` is the outputs'."""
        how = self.adapters, self.fold_adapters, self.fast_conv, self.frozen_kernels
        conv = AdaptedConv(features, stride, *how, name=name)
        norm = MaskedBatchNorm(features, name=name.replace("conv", "norm"))
        if train:
            return norm(conv(x) * mask, mask, train)
        # Stored statistics are the same for every clip, so they are folded into the kernel.
        factor, offset = norm.stored()
        return conv(x, factor) + offset.astype(x.dtype)


def _mask(frames: jax.Array, x: jax.Array) -> jax.Array:
    return (jnp.arange(x.shape[1]) < frames[:, None]).astype(x.dtype)[:, :, None, None]
