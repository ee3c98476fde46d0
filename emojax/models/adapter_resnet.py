"""Residual network with parallel adapters (section 5.2 of the EmoNet paper), for one corpus."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from emojax.audio import augment, front_end, log_mel, silence
from emojax.models.layers import AdaptedConv, AttentionPool, MaskedBatchNorm, halve, widen
from emojax.models.speech_network import Features, SpeechNetwork

STACKS = 3
# The augmentation uses the keys with numbers below it.
_CROP = augment.MASKS + 1


class AdapterResNet(SpeechNetwork):
    """Network of three stacks of residual blocks, attention pooling and a corpus's head.

    Attributes:
      width: channels of the first convolution; the stacks have 2, 4 and 8 times as many.
      depth: residual blocks per stack.
      attention_units: hidden units of the attention.
      attention_smoothing: λ of equation 3.
      attention_deviation: the embedding is the attended mean and standard deviation, so D is twice
        as large.
      head_units: hidden units of the head.
      pitch_channels: the input has channels of pitch and voicing beside the log-mel.
      trim_db: ``below_db`` of :func:`emojax.audio.silence.trim`; 0 keeps silence.
      fold_adapters: fold the 1×1 adapters into the convolutions (faster, the same function).
      transform: see :func:`emojax.audio.log_mel.log_mel`.
      fast_conv: see :func:`emojax.models.conv.conv3x3`.
      conv_shortcut: pool a block's shortcut by more channels of its strided convolution (the same
        sums; faster on TPUs).
      joint_sums: see :class:`emojax.models.layers.MaskedBatchNorm` (fewer launches on GPUs).

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
    trim_db: float = 0.0
    fold_adapters: bool = True
    transform: str = log_mel.PORTABLE
    fast_conv: bool = False
    conv_shortcut: bool = False
    joint_sums: bool = False

    @property
    def embedding_size(self) -> int:
        """Length of an embedding, D."""
        return 8 * self.width * (2 if self.attention_deviation else 1)

    @property
    def windows_read(self) -> int:
        """Two windows where silence is cut off, since half of a clip may be silence."""
        return 2 if self.trim_db else 1

    def features(self, audio: jax.Array, length: jax.Array) -> tuple[Features, jax.Array]:
        """Compute the columns of each frame, without silence at the ends if ``trim_db`` is given.

        See :func:`emojax.audio.front_end.columns`.
        """
        length = jnp.asarray(length)
        columns = front_end.columns(audio, length, self.pitch_channels, self.transform)
        return silence.trim(*columns, self.trim_db) if self.trim_db else columns

    def standardise(self, features: Features, length: jax.Array) -> Features:
        """Standardise the columns of frames: :func:`emojax.audio.front_end.standardise`."""
        return front_end.standardise(features, length)

    def augment(
        self, features: Features, length: jax.Array, key: jax.Array, **settings: float
    ) -> tuple[Features, jax.Array]:
        """Crop, distort and standardise log-mel: :func:`emojax.audio.augment.augment`."""
        if self.windows_read > 1:
            most = 1 + (features.shape[1] - 1) // self.windows_read
            features, length = silence.crop(features, length, most, jax.random.fold_in(key, _CROP))
        return augment.augment(features, length, key, **settings)

    def plain(self) -> SpeechNetwork:
        """Return the network with folded adapters and plain convolutions."""
        plain = super().plain()
        return plain.clone(fast_conv=False, conv_shortcut=False, fold_adapters=True)

    def trunk(self, mel: Features, frames: jax.Array, train: bool) -> jax.Array:
        """Compute the embedding of log-mel f32 ``[B, F, M]`` with i32 ``[B]`` valid frames.

        With pitch the log-mel is ``[B, F, M + 2]``.
        """
        train = train and not self.frozen_norms
        x = front_end.as_image(mel).astype(self.compute_dtype)
        mask = _mask(frames, x)
        x, _ = self._conv_and_norm("conv", x, mask, self.width, 1, train)
        x = x * mask
        for stack in range(STACKS):
            for block in range(self.depth):
                if block == 0:
                    frames = (frames + 1) // 2
                    mask = _mask(frames, x[:, ::2])
                x = self._block(
                    f"stack{stack}_block{block}", x, mask, 2 - (block > 0), stack, train
                )
        norm = MaskedBatchNorm(x.shape[-1], self.joint_sums, name="norm_last")
        x = jax.nn.relu(norm(x, mask, train)) * mask
        how = self.attention_units, self.attention_smoothing, self.attention_deviation
        return AttentionPool(*how, name="attention")(x, mask)

    def head(self, embedding: jax.Array, rows: jax.Array, train: bool) -> jax.Array:
        """Compute logits by a hidden layer with a norm, and a last layer."""
        rows = rows[:, None].astype(jnp.float32)
        x = nn.Dense(self.head_units, name="head_hidden")(embedding) * rows
        norm = MaskedBatchNorm(self.head_units, self.joint_sums, name="head_norm")
        x = jax.nn.relu(norm(x, rows, train))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        return nn.Dense(self.classes, name="head_logits")(x)

    def _block(
        self, name: str, x: jax.Array, mask: jax.Array, stride: int, stack: int, train: bool
    ) -> jax.Array:
        features = self.width * 2 ** (stack + 1)
        pooling = self.conv_shortcut and stride == 2
        y, pooled = self._conv_and_norm(f"{name}_conv0", x, mask, features, stride, train, pooling)
        y = jax.nn.relu(y) * mask
        y, _ = self._conv_and_norm(f"{name}_conv1", y, mask, features, 1, train)
        if stride == 2:
            x = widen(pooled, features) if pooling else halve(x, features)
        return jax.nn.relu(y + x) * mask

    def _conv_and_norm(
        self,
        name: str,
        x: jax.Array,
        mask: jax.Array,
        features: int,
        stride: int,
        train: bool,
        pooling: bool = False,
    ) -> tuple[jax.Array, jax.Array]:
        """Apply a convolution and its norm; return also the channels that pool the input.

        Both results are not masked; ``mask`` is the mask of the outputs.
        """
        how = self.adapters, self.fold_adapters, self.fast_conv, self.frozen_kernels
        conv = AdaptedConv(features, stride, *how, pooling, name=name)
        norm = MaskedBatchNorm(features, self.joint_sums, name=name.replace("conv", "norm"))
        if train:
            y, pooled = jnp.split(conv(x), [features], axis=-1)
            return norm(y * mask, mask, train), pooled
        # Stored statistics are equal for all clips, so they are folded into the kernel.
        factor, offset = norm.stored()
        y, pooled = jnp.split(conv(x, factor), [features], axis=-1)
        return y + offset.astype(x.dtype), pooled


def _mask(frames: jax.Array, x: jax.Array) -> jax.Array:
    return (jnp.arange(x.shape[1]) < frames[:, None]).astype(x.dtype)[:, :, None, None]
