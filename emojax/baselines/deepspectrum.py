"""DeepSpectrum features: activations of an ImageNet network for a clip's mel plot."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

import jax
import numpy as np
import pooch

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.baselines.cache import kept_features
from emojax.baselines.mel_plot import PIXELS, mel_plot
from emojax.baselines.weights import lite0_file, read_tensors, vgg16_file
from emojax.data.batches import INT16_SCALE
from emojax.data.prepared import PreparedCorpus, load_recordings
from emojax.models import imagenet

# Version of all steps from a recording to its features, except the weights; part of the cache's
# path.
FORMAT = 1
_ROWS = 16


@dataclasses.dataclass(frozen=True)
class Origin:
    """Origin of weights: how their file becomes layers, and how their network scales pixels.

    Attributes:
      layers: tensors of the file → layers.
      mean: mean of the channels R, G, B, for pixels from 0 to 255.
      deviation: standard deviation of the same channels.
    """

    layers: Callable[[Mapping[str, np.ndarray]], imagenet.Layers]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


@dataclasses.dataclass(frozen=True)
class Backbone:
    """Network, the layer whose activations are the features, and the origins of its weights."""

    name: str
    layer: str
    forward: Callable[[imagenet.Layers, jax.Array], jax.Array]
    origins: Mapping[str, Origin]


BACKBONES = {
    "deepspectrum_vgg16": Backbone(
        "VGG16",
        "fc2",
        imagenet.vgg16,
        {
            # Means of Caffe, as in keras.applications.vgg16.preprocess_input.
            "keras": Origin(imagenet.vgg16_from_keras, (123.68, 116.779, 103.939), (1, 1, 1)),
            # Mean and deviation that torchvision documents for all its models, scaled to 0..255.
            "torch": Origin(
                imagenet.vgg16_from_torch, (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
            ),
        },
    ),
    "deepspectrum_lite0": Backbone(
        "EfficientNet-Lite0",
        "global pooling",
        imagenet.efficientnet_lite0,
        # MEAN_RGB and STDDEV_RGB of the original's efficientnet_lite_builder.py.
        {"torch": Origin(imagenet.efficientnet_lite0_from_torch, (127, 127, 127), (128, 128, 128))},
    ),
}


@dataclasses.dataclass(frozen=True, eq=False)
class DeepSpectrum:
    """Extractor of DeepSpectrum features (Amiriparian et al., 2017; EmoNet, sections 2.3 and 4.2).

    The paper uses VGG16 and does not name the layer. DeepSpectrum's documentation uses the 4096
    activations of ``fc2``, the second dense layer, and so does this class. Pixels are scaled as in
    the training of the weights; DeepSpectrum's own code does not subtract VGG16's mean.

    Attributes:
      backbone: one of ``BACKBONES``.
      origin: origin of the weights.
      layers: the weights.
      sha256: SHA-256 of the weights file.
    """

    backbone: Backbone
    origin: Origin
    layers: imagenet.Layers
    sha256: str

    def __str__(self) -> str:
        return f"DeepSpectrum ({self.backbone.name}, {self.backbone.layer})"

    def features(self, corpus: PreparedCorpus, cache_dir: str | Path) -> np.ndarray:
        """Return the features of all clips, float32 ``[N, D]``, in the order of the corpus's table.

        They are cached on disk by recording, weights and format; only missing ones are extracted.

        Raises:
          ValueError: the corpus's table has a clip without a valid digest.
        """
        folder = (
            Path(cache_dir) / f"deepspectrum-{FORMAT}" / f"{self.backbone.name}-{self.sha256[:16]}"
        )
        extract = functools.partial(self._extracted, corpus)
        return kept_features(corpus, folder, extract, f"DeepSpectrum {self.backbone.name}")

    def _extracted(
        self, corpus: PreparedCorpus, indices: list[int]
    ) -> Generator[np.ndarray, None, None]:
        """Yield the features of the clips at the indices, computed in batches."""
        layers = jax.device_put(self.layers)
        for start in range(0, len(indices), _ROWS):
            clips = load_recordings(corpus, np.array(indices[start : start + _ROWS])).samples
            features = np.asarray(
                _forward(self.backbone.forward, self.origin, layers, *_batch(clips))
            )
            yield from features[: len(clips)]


def open_deepspectrum(name: str, vgg16_weights: str | None = None) -> DeepSpectrum:
    """Find, read and check the weights of an extractor.

    Args:
      name: one of ``BACKBONES``.
      vgg16_weights: file of VGG16's weights, Keras's ``.h5`` or torchvision's ``.pth``;
        downloaded if None.

    Raises:
      ValueError: the weights are missing, or belong to another network.
    """
    backbone = BACKBONES[name]
    path = vgg16_file(vgg16_weights) if backbone.name == "VGG16" else lite0_file()
    kind, tensors = read_tensors(path)
    try:
        origin = backbone.origins[kind]
        layers = origin.layers(tensors)
        image = jax.ShapeDtypeStruct((1, PIXELS, PIXELS, 3), np.float32)
        jax.eval_shape(backbone.forward, layers, image)
    except KeyError as error:
        raise ValueError(
            f"{path} holds no {backbone.name} with its classifier: {error} is missing"
        ) from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no {backbone.name}: {error}") from error
    return DeepSpectrum(backbone, origin, layers, pooch.file_hash(path))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _forward(
    network, origin: Origin, layers: imagenet.Layers, audio: jax.Array, length: jax.Array
) -> jax.Array:
    """Return features f32 [B, D] of audio f32 [B, T] and its lengths i32 [B]."""
    # One plot after the other: a plot is little work, and a batch of long clips fills the memory.
    images = jax.lax.map(lambda clip: mel_plot(*clip), (audio, length))
    with jax.default_matmul_precision("float32"):
        return network(layers, (images - np.array(origin.mean)) / np.array(origin.deviation))


def _batch(clips: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Trim digital silence as DeepSpectrum does, and pad the clips to a power of two seconds."""
    clips = [np.trim_zeros(clip) for clip in clips]
    length = np.array([len(clip) for clip in clips] + [0] * (_ROWS - len(clips)), np.int32)
    seconds = 2 ** math.ceil(math.log2(max(SAMPLE_RATE_HZ, *length) / SAMPLE_RATE_HZ))
    audio = np.zeros((_ROWS, seconds * SAMPLE_RATE_HZ), np.float32)
    for row, clip in zip(audio, clips, strict=False):
        row[: len(clip)] = clip / np.float32(INT16_SCALE)
    return audio, length
