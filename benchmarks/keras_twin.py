"""Keras twin: the same front-end, network and training step, in plain Keras.

It has no masks, which full-length clips do not need. It starts with EmoJAX's parameters, and stops
unless it gives EmoJAX's logits.
"""

from __future__ import annotations

import math

import keras
import numpy as np
import worker
from keras import layers, ops

WINDOW, HOP = 512, 256  # of the front-end, in samples
SMOOTHING = 0.3  # of the attention
L2 = keras.regularizers.L2(1e-6)  # half of its factor in the gradient


class FrontEnd(layers.Layer):
    """Layer for standardised log-mel spectrograms, [B, samples] → [B, F, M]."""

    def __init__(self, mel_filters: np.ndarray):
        super().__init__()
        self.mel_filters = mel_filters

    def call(self, audio):
        """Compute the spectrograms like EmoJAX's front-end."""
        audio = ops.pad(audio, ((0, 0), (WINDOW // 2, WINDOW // 2)))
        real, imaginary = ops.stft(audio, WINDOW, HOP, WINDOW, center=False)
        power = ops.square(real) + ops.square(imaginary)
        mel = ops.log(ops.maximum(power @ self.mel_filters, 1e-10))
        mel = ops.maximum(mel, ops.max(mel, (1, 2), keepdims=True) - 8 * math.log(10))
        mean, variance = ops.moments(mel, (1, 2), keepdims=True)
        return (mel - mean) * ops.rsqrt(variance + 1e-5)


def adapted_conv(x, name: str, features: int, stride: int):
    """Apply a 3×3 convolution with a parallel 1×1 adapter, and its norm."""
    kwargs = {"strides": stride, "use_bias": False, "kernel_regularizer": L2}
    wide = layers.Conv2D(features, 3, name=f"{name}.kernel", **kwargs)(layers.ZeroPadding2D(1)(x))
    narrow = layers.Conv2D(features, 1, name=f"{name}.adapter", **kwargs)(x)
    return norm(layers.Add()([wide, narrow]), name.replace("conv", "norm"))


def norm(x, name: str):
    """Apply batch normalisation."""
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def block(x, name: str, features: int, stride: int):
    """Apply two adapted convolutions and a shortcut."""
    y = layers.ReLU()(adapted_conv(x, f"{name}_conv0", features, stride))
    y = adapted_conv(y, f"{name}_conv1", features, 1)
    if stride == 2:
        odd = [(0, size % 2) for size in x.shape[1:3]]
        x = layers.AveragePooling2D(2)(layers.ZeroPadding2D(odd)(x))
        x = ops.pad(x, ((0, 0), (0, 0), (0, 0), (0, features - x.shape[-1])))
    return layers.ReLU()(layers.Add()([y, x]))


def make_network(mel_filters: np.ndarray, samples: int, width: int, classes: int):
    """Make two models: waveforms to spectrograms, and waveforms to logits."""
    audio = keras.Input([samples])
    mel = FrontEnd(mel_filters)(audio)
    x = adapted_conv(ops.expand_dims(mel, -1), "conv", width, 1)
    for stack, features in enumerate((2 * width, 4 * width, 8 * width)):
        for number in range(2):
            x = block(x, f"stack{stack}_block{number}", features, 2 - number)
    x = layers.ReLU()(norm(x, "norm_last"))
    x = layers.Reshape((-1, 8 * width))(x)
    hidden = layers.Dense(256, "tanh", kernel_regularizer=L2, name="attention.hidden")(x)
    energy = layers.Dense(1, use_bias=False, kernel_regularizer=L2, name="attention.u")(hidden)
    x = ops.sum(ops.softmax(SMOOTHING * energy, 1) * x, 1)
    x = norm(layers.Dense(128, kernel_regularizer=L2, name="head_hidden")(x), "head_norm")
    x = layers.Dropout(0.5)(layers.ReLU()(x))
    logits = layers.Dense(classes, kernel_regularizer=L2, name="head_logits")(x)
    return keras.Model(audio, mel), keras.Model(audio, logits)


def keras_name_and_value(name: str, value: np.ndarray) -> tuple[str, np.ndarray]:
    """Convert name and layout of one of EmoJAX's parameters to Keras."""
    module, leaf = name.rsplit(".", 1)
    if leaf == "adapter":
        value = value[None, None]
    if value.ndim == 4:
        return f"{name}/kernel", value
    if "norm" in module:
        leaf = {"scale": "gamma", "bias": "beta"}[leaf]
    return f"{module}/{leaf}", value


def make_twin(exported) -> tuple[keras.Model, keras.Model]:
    """Make the twin with all of EmoJAX's parameters, and check its logits."""
    width, classes = exported["params/conv.kernel"].shape[-1], exported["logits"].shape[1]
    front_end, network = make_network(
        exported["mel_filters"], exported["audio"].shape[1], width, classes
    )
    names = [name for name in exported if name.startswith("params/")]
    ours = dict(
        keras_name_and_value(name.removeprefix("params/"), exported[name]) for name in names
    )
    theirs = {variable.path: variable for variable in network.trainable_variables}
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        theirs[name].assign(value)
    with keras.device("cpu"):  # for full f32 convolutions
        logits = ops.convert_to_numpy(network(exported["audio"]))
    worker.check_logits(logits, exported["logits"])
    return front_end, network


def make_training_step(front_end: keras.Model, network: keras.Model, exported):
    """Make a step of SGD with momentum and L2 on the kernels, on the class-weighted loss."""
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    network.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    audio, label = exported["audio"], exported["label"]
    weight = exported["class_weight"][label]
    return lambda: network.train_on_batch(audio, label, weight)


def make_inference(front_end: keras.Model, network: keras.Model, exported):
    """Make a forward pass with stored statistics."""
    return lambda: network.predict_on_batch(exported["audio"])


def make_front_end(front_end: keras.Model, network: keras.Model, exported):
    """Make the front-end: waveforms to standardised log-mel spectrograms."""
    return lambda: front_end.predict_on_batch(exported["audio"])


MAKERS = {"training": make_training_step, "inference": make_inference, "front_end": make_front_end}


def facts() -> dict:
    """Return device and versions; Keras does not report an accelerator's memory."""
    device = next(iter(keras.distribution.list_devices("gpu")), "cpu")
    return {
        "peak_memory_mib": worker.peak_memory_mib() if device == "cpu" else None,
        "device": device,
        "version": f"keras {keras.__version__} on {keras.backend.backend()}",
    }


def main() -> None:
    """Serve training steps, forward passes or the front-end."""
    settings = worker.settings()
    with np.load(settings["exported"]) as exported:
        exported = dict(exported)
    step = MAKERS[settings["job"]](*make_twin(exported), exported)
    steps = 1 if facts()["device"] == "cpu" else settings["corpora"]

    def turn() -> int:
        for _ in range(steps):
            step()  # returns when its result is on the host
        return steps

    worker.serve(turn, facts)


if __name__ == "__main__":
    main()
