"""The network of one corpus as nodes of an ONNX graph, from waveform to probabilities.

Each function here is one of :mod:`emojax.audio.log_mel` or :mod:`emojax.models`, in evaluation. The
axes are ``[B, C, F, M]``: batch, channels, frames and mels.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from emojax.audio.log_mel import (
    DYNAMIC_RANGE_DB,
    HOP_SAMPLES,
    MELS,
    POWER_FLOOR,
    VARIANCE_EPSILON,
    WINDOW_SAMPLES,
    filters,
)
from emojax.audio.silence import MARGIN_FRAMES
from emojax.export.onnx_graph import Graph
from emojax.export.portable import Portable
from emojax.models.adapter_resnet import STACKS, AdapterResNet
from emojax.models.layers import BATCH_NORM_EPSILON, DEVIATION_EPSILON
from emojax.models.subtrees import Params


def add_network(graph: Graph, network: Portable, audio: str, length: str) -> None:
    """Add the network; its outputs are called ``probabilities`` and ``embedding``.

    Args:
      graph: the graph.
      network: the network.
      audio: name of f32 ``[B, T]``.
      length: name of i64 ``[B]``, samples of each row; 0 marks a filler row.

    Raises:
      ValueError: it is no :class:`emojax.models.adapter_resnet.AdapterResNet`, or it hears pitch.
    """
    if type(network.model) is not AdapterResNet:  # a fusion is one too
        name = type(network.model).__name__
        raise ValueError(f"{name} cannot be written as ONNX; give --format=stablehlo")
    if network.model.pitch_channels:
        raise ValueError("pitch_channels cannot be written as ONNX; give --format=stablehlo")
    frames = graph.add("Add", graph.add("Div", length, HOP_SAMPLES), 1)
    frames = graph.add("Where", graph.add("Greater", length, 0), frames, 0)
    mel = _log_mel(graph, audio)
    if network.model.trim_db:
        mel, frames = _trimmed(graph, mel, frames, network.model.trim_db)
    mask = _mask(graph, frames, mel)
    layers = _Layers(graph, network.params, network.stats)
    x = _standardised(graph, mel, frames, mask)
    x, mask = layers.trunk(x, frames, mask, network.model.depth)
    how = network.model.attention_smoothing, network.model.attention_deviation
    embedding = layers.pooled(x, mask, *how)
    layers.head(embedding, len(network.labels), network.temperature)


def _log_mel(graph: Graph, audio: str) -> str:
    """Add the log-mel spectrogram ``[B, 1, F, M]``."""
    half = WINDOW_SAMPLES // 2
    phase = 2 * np.pi / WINDOW_SAMPLES * np.outer(np.arange(half + 1), np.arange(WINDOW_SAMPLES))
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1]
    waves = graph.add("Unsqueeze", audio, [1])

    def power(wave: np.ndarray) -> str:
        kernels = (wave * window)[:, None]
        part = graph.add("Conv", waves, kernels, strides=[HOP_SAMPLES], pads=[half, half])
        return _square(graph, part)

    spectrum = graph.add("Add", power(np.cos(phase)), power(np.sin(phase)))
    mel = graph.add("MatMul", graph.add("Transpose", spectrum, perm=[0, 2, 1]), filters())
    return graph.add("Unsqueeze", graph.add("Log", graph.add("Max", mel, POWER_FLOOR)), [1])


def _trimmed(graph: Graph, mel: str, frames: str, below_db: float) -> tuple[str, str]:
    """Add :func:`emojax.audio.silence.trim`; return the log-mel and its valid frames."""
    add = graph.add
    power = add("Where", _mask(graph, frames, mel), add("ReduceSum", add("Exp", mel), [3]), 0.0)
    power, frames = add("Squeeze", power, [1, 3]), add("Unsqueeze", frames, [1])
    mean = add("Div", add("ReduceSum", power, [1]), graph.to_float(add("Max", frames, 1)))
    quiet = add("Less", power, add("Mul", mean, 10 ** (-below_db / 10)))
    length = add("Gather", add("Shape", power), 1)
    places = add("Range", 0, length, 1)
    ahead = add("ReduceMax", add("Where", quiet, 0, add("Sub", length, places)), axes=[1])
    first = add("Max", add("Sub", add("Sub", length, ahead), MARGIN_FRAMES), 0)
    end = add("ReduceMax", add("Where", quiet, 0, add("Add", places, 1)), axes=[1])
    end = add("Min", add("Add", end, MARGIN_FRAMES), frames)
    chosen = add("Min", add("Add", places, first), add("Sub", length, 1))
    mel = add("GatherND", add("Squeeze", mel, [1]), add("Unsqueeze", chosen, [2]), batch_dims=1)
    frames = add("Squeeze", add("Max", add("Sub", end, first), 0), [1])
    return add("Unsqueeze", mel, [1]), frames


def _standardised(graph: Graph, mel: str, frames: str, mask: str) -> str:
    peak = graph.add("Where", mask, mel, math.log(POWER_FLOOR))
    peak = graph.add("ReduceMax", peak, axes=[1, 2, 3])
    mel = graph.add("Max", mel, graph.add("Sub", peak, DYNAMIC_RANGE_DB * math.log(10) / 10))
    count = graph.add("Mul", graph.add("Max", frames, 1), MELS)
    count = graph.add("Unsqueeze", graph.to_float(count), [1, 2, 3])

    def mean(x: str) -> str:
        return graph.add("Div", graph.add("ReduceSum", x, [1, 2, 3]), count)

    centred = _masked(graph, graph.add("Sub", mel, mean(_masked(graph, mel, mask))), mask)
    variance = graph.add("Add", mean(_square(graph, centred)), VARIANCE_EPSILON)
    return graph.add("Div", centred, graph.add("Sqrt", variance))


@dataclasses.dataclass(frozen=True)
class _Layers:
    """Layers of one network, by name; adapters and norms are folded into the kernels."""

    graph: Graph
    params: Params
    stats: Params

    def trunk(self, x: str, frames: str, mask: str, depth: int) -> tuple[str, str]:
        """Add everything before the attention; return the output and its mask."""
        add = self.graph.add
        x = _masked(self.graph, self._conv(x, "conv"), mask)
        for stack in range(STACKS):
            for block in range(depth):
                name, shortcut = f"stack{stack}_block{block}", x
                if block == 0:
                    frames = add("Div", add("Add", frames, 1), 2)
                    shortcut = self._halved(x, name)
                    mask = _mask(self.graph, frames, shortcut)
                x = self._block(x, shortcut, mask, name, stride=2 - (block > 0))
        factor, offset = (own[:, None, None] for own in self._norm("norm_last"))
        x = add("Relu", add("Add", add("Mul", x, factor), offset))
        return _masked(self.graph, x, mask), mask

    def pooled(self, x: str, mask: str, smoothing: float, deviation: bool) -> str:
        """Add the attention; return the embedding ``[B, D]``."""
        add, own = self.graph.add, self.params["attention"]
        hidden, bias = own["hidden"]["kernel"].T[:, :, None, None], own["hidden"]["bias"]
        energy = add("Tanh", add("Conv", x, hidden, bias))
        energy = add("Conv", energy, smoothing * own["u"]["kernel"].T[:, :, None, None])
        # The floor is finite, so that a filler row does not become NaN.
        energy = add("Reshape", add("Where", mask, energy, -1e30), [0, -1, 1])
        weights = add("Softmax", energy, axis=1)
        x = add("Reshape", x, [0, 0, -1])
        pooled = add("MatMul", x, weights)
        if deviation:
            square = _square(self.graph, add("Sub", x, pooled))
            variance = add("Add", add("MatMul", square, weights), DEVIATION_EPSILON)
            pooled = add("Concat", pooled, add("Sqrt", variance), axis=1)
        return add("Squeeze", pooled, [2], output="embedding")

    def head(self, embedding: str, classes: int, temperature: float) -> str:
        """Add the head; return the calibrated probabilities ``[B, classes]``."""
        add, hidden, logits = self.graph.add, self.params["head_hidden"], self.params["head_logits"]
        factor, offset = self._norm("head_norm")
        x = add("Gemm", embedding, hidden["kernel"] * factor, hidden["bias"] * factor + offset)
        own = logits["kernel"][:, :classes], logits["bias"][:classes]
        x = add("Gemm", add("Relu", x), *(part / temperature for part in own))
        return add("Softmax", x, axis=1, output="probabilities")

    def _block(self, x: str, shortcut: str, mask: str, name: str, stride: int) -> str:
        y = self.graph.add("Relu", self._conv(x, f"{name}_conv0", stride))
        y = self._conv(_masked(self.graph, y, mask), f"{name}_conv1")
        y = self.graph.add("Relu", self.graph.add("Add", y, shortcut))
        return _masked(self.graph, y, mask)

    def _conv(self, x: str, name: str, stride: int = 1) -> str:
        kernel = np.array(self.params[name]["kernel"])
        if "adapter" in self.params[name]:
            kernel[1, 1] += self.params[name]["adapter"]
        factor, offset = self._norm(name.replace("conv", "norm"))
        kernel = (kernel * factor).transpose(3, 2, 0, 1)
        return self.graph.add("Conv", x, kernel, offset, strides=2 * [stride], pads=4 * [1])

    def _norm(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a norm's factor and offset, f32 ``[C]``."""
        own, stats = self.params[name], self.stats[name]
        factor = own["scale"] / np.sqrt(stats["variance"] + BATCH_NORM_EPSILON)
        return factor, own["bias"] - stats["mean"] * factor

    def _halved(self, x: str, block: str) -> str:
        """Add the shortcut of a block with stride 2, which has more channels."""
        channels, features = self.params[f"{block}_conv0"]["kernel"].shape[2:]
        x = self.graph.add(
            "AveragePool",
            x,
            kernel_shape=[2, 2],
            strides=[2, 2],
            pads=[0, 0, 1, 1],
            count_include_pad=1,
        )
        return self.graph.add("Pad", x, [0, 0, 0, 0, 0, features - channels, 0, 0])


def _mask(graph: Graph, frames: str, x: str) -> str:
    """Add the mask bool ``[B, 1, F, 1]`` of an image."""
    places = graph.add("Range", 0, graph.add("Gather", graph.add("Shape", x), 2), 1)
    valid = graph.add("Less", places, graph.add("Unsqueeze", frames, [1]))
    return graph.add("Unsqueeze", valid, [1, 3])


def _masked(graph: Graph, x: str, mask: str) -> str:
    return graph.add("Where", mask, x, 0.0)


def _square(graph: Graph, x: str) -> str:
    return graph.add("Mul", x, x)
