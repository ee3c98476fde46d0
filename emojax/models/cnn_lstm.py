"""CNN and LSTM on raw audio (section 3.1 of the transferable-features paper), for one corpus."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from emojax.models.lstm import AdaptedKernel, lstm
from emojax.models.speech_network import Features, SpeechNetwork

VARIANCE_FLOOR = 1e-10  # digital silence stays 0
HALVES = 2


class CnnLstm(SpeechNetwork):
    """Two 1-D convolutions, an LSTM, two dense layers and a corpus's last layer.

    The paper gives no lengths, strides or pooling, and its "two 500 dimensional vector outputs" of
    the LSTM can mean two things. Therefore all of these are settings.

    Attributes:
      conv_features: kernels of each convolution.
      conv_samples: length of the first one's kernels, in samples.
      conv_stride: its stride, in samples.
      conv_steps: length of the second one's kernels, in steps of its input.
      pool: size and stride of the max pooling after each convolution, in steps.
      recurrence: ``halves``: an LSTM over two steps, the means of the first and of the second half;
        ``directions``: an LSTM in both directions, with the last output of each; ``none``: the two
        means without an LSTM, the paper's CNN.
      lstm_units: size of the LSTM's state.
      dense_units: units of the two dense layers, D.
      adapter_rank: rank of the adapters of the LSTM.
      unroll: unroll the LSTM's loop, to count operations.

    >>> model = CnnLstm(classes=6)
    >>> inputs = jnp.zeros((2, 54_000)), jnp.array([54_000, 16_000]), jnp.ones(6, bool)
    >>> init = lambda key: model.init_with_output(key, *inputs, train=False)
    >>> output, variables = jax.eval_shape(init, jax.random.key(0))
    >>> output.embedding.shape, output.logits.shape
    ((2, 1000), (2, 6))
    """

    conv_features: int = 128
    conv_samples: int = 64
    conv_stride: int = 16
    conv_steps: int = 8
    pool: int = 4
    recurrence: str = "halves"
    lstm_units: int = 500
    dense_units: int = 1000
    adapter_rank: int = 8
    unroll: bool = False

    @property
    def embedding_size(self) -> int:
        """Length of an embedding, D."""
        return self.dense_units

    def features(self, audio: jax.Array, length: jax.Array) -> tuple[Features, jax.Array]:
        """Return the waveforms."""
        return audio, jnp.asarray(length)

    def standardise(self, features: Features, length: jax.Array) -> Features:
        """Standardise each clip over its own samples."""
        mask = jnp.arange(features.shape[1]) < length[:, None]
        count = jnp.maximum(length, 1)[:, None]
        mean = jnp.sum(features, 1, keepdims=True, where=mask) / count
        centred = jnp.where(mask, features - mean, 0)
        variance = jnp.sum(jnp.square(centred), 1, keepdims=True) / count
        return centred * jax.lax.rsqrt(variance + VARIANCE_FLOOR)

    def plain(self) -> SpeechNetwork:
        """Return the network with an unrolled LSTM, since XLA counts a loop's body once."""
        return super().plain().clone(unroll=True)

    def trunk(self, audio: Features, length: jax.Array, train: bool) -> jax.Array:
        """Compute the embedding of waveforms f32 ``[B, T]`` with i32 ``[B]`` valid samples."""
        drop = nn.Dropout(self.dropout, deterministic=not train)
        x, steps = audio[..., None].astype(self.compute_dtype), length
        x, steps = self._conv("conv0", x, steps, self.conv_samples, self.conv_stride)
        x, steps = self._conv("conv1", drop(x), steps, self.conv_steps, 1)
        x = self._recur(drop(x), steps).astype(jnp.float32)
        x = jnp.tanh(nn.Dense(self.dense_units, name="dense0")(x))
        return jnp.tanh(nn.Dense(self.dense_units, name="dense1")(drop(x)))

    def head(self, embedding: jax.Array, rows: jax.Array, train: bool) -> jax.Array:
        """Compute logits by one layer."""
        x = nn.Dropout(self.dropout, deterministic=not train)(embedding)
        return nn.Dense(self.classes, name="head_logits")(x)

    def _conv(
        self, name: str, x: jax.Array, steps: jax.Array, size: int, stride: int
    ) -> tuple[jax.Array, jax.Array]:
        """Convolve, rectify and pool ``[B, S, C]``; padding does not change valid steps."""
        left = (size - 1) // 2
        conv = nn.Conv(
            self.conv_features,
            (size,),
            stride,
            [(left, size - 1 - left)],
            dtype=self.compute_dtype,
            kernel_init=nn.initializers.he_normal(),
            name=name,
        )
        x, steps = conv(x), -(-steps // stride)
        x = jax.nn.relu(x) * _mask(steps, x)
        x = nn.max_pool(x, (self.pool,), (self.pool,), [(0, -x.shape[1] % self.pool)])
        return x, -(-steps // self.pool)

    def _recur(self, x: jax.Array, steps: jax.Array) -> jax.Array:
        """Summarise the steps of ``[B, S, C]`` as ``[B, 2 · U]``."""
        if self.recurrence == "directions":
            forward, backward = self._lstm(x, steps, "lstm_forward", "lstm_backward")
            return jnp.concatenate([forward[:, -1], backward[:, 0]], axis=-1)
        x = _halves(x, steps)
        if self.recurrence == "halves":
            [x] = self._lstm(x, jnp.full_like(steps, HALVES), "lstm_forward")
        return x.reshape(x.shape[0], -1)

    def _lstm(self, x: jax.Array, steps: jax.Array, *names: str) -> list[jax.Array]:
        rank = self.adapter_rank * self.adapters
        kernels = [AdaptedKernel(self.lstm_units, rank, name=name)(x.shape[-1]) for name in names]
        return lstm(x, steps, kernels, self.unroll)


def _mask(steps: jax.Array, x: jax.Array) -> jax.Array:
    return (jnp.arange(x.shape[1]) < steps[:, None]).astype(x.dtype)[..., None]


def _halves(x: jax.Array, steps: jax.Array) -> jax.Array:
    """Return the means of the two halves of the valid steps: ``[B, S, C]`` → ``[B, 2, C]``."""
    place = jnp.arange(x.shape[1])
    bounds = jnp.stack([jnp.zeros_like(steps), (steps + 1) // 2, steps], axis=1)
    within = (bounds[:, :-1, None] <= place) & (place < bounds[:, 1:, None])
    count = jnp.maximum(jnp.diff(bounds), 1)[..., None].astype(x.dtype)
    return within.astype(x.dtype) @ x / count
