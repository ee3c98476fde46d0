"""Both networks on one waveform; their embeddings are concatenated before a corpus's head."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from emojax.audio.log_mel import frame_count
from emojax.models.adapter_resnet import AdapterResNet
from emojax.models.cnn_lstm import CnnLstm
from emojax.models.speech_network import Features


class Fusion(AdapterResNet, CnnLstm):
    """Trunks of both networks, with the settings and parameters of both, and the ResNet's head.

    Features are a pair of log-mel f32 ``[B, F, M]`` and waveforms f32 ``[B, T]``; their length is
    the samples of each clip, i32 ``[B]``.

    >>> model = Fusion(classes=6)
    >>> inputs = model.inputs(jnp.zeros((2, 54_000)), jnp.array([54_000, 16_000]))
    >>> init = lambda key: model.init_with_output(key, *inputs, jnp.ones(6, bool), train=False)
    >>> output, variables = jax.eval_shape(init, jax.random.key(0))
    >>> output.embedding.shape, output.logits.shape
    ((2, 1256), (2, 6))
    """

    @property
    def embedding_size(self) -> int:
        """Length of an embedding, D: the sum of both."""
        return super().embedding_size + super(AdapterResNet, self).embedding_size

    def features(self, audio: jax.Array, length: jax.Array) -> tuple[Features, jax.Array]:
        """Compute log-mel; return it with the waveforms."""
        mel, _ = AdapterResNet.features(self, audio, length)
        return (mel, audio), jnp.asarray(length)

    def standardise(self, features: Features, length: jax.Array) -> Features:
        """Standardise each row of both over its valid part."""
        mel, audio = features
        mel = AdapterResNet.standardise(self, mel, frame_count(length))
        return mel, CnnLstm.standardise(self, audio, length)

    def augment(
        self, features: Features, length: jax.Array, key: jax.Array, **settings: float
    ) -> tuple[Features, jax.Array]:
        """Distort log-mel without a change of tempo, and standardise both."""
        mel, audio = features
        mel, _ = AdapterResNet.augment(self, mel, frame_count(length), key, **settings)
        return (mel, CnnLstm.standardise(self, audio, length)), length

    def trunk(self, features: Features, length: jax.Array, train: bool) -> jax.Array:
        """Compute and concatenate both embeddings: f32 ``[B, D]``."""
        mel, audio = features
        parts = (
            AdapterResNet.trunk(self, mel, frame_count(length), train),
            CnnLstm.trunk(self, audio, length, train),
        )
        return jnp.concatenate(parts, axis=-1)
