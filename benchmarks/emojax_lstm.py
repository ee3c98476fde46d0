"""EmoJAX's worker of the benchmark ``lstm``, on noise as long as the window."""

from __future__ import annotations

import math

import worker

from emojax.cpu import use_fast_allocator

use_fast_allocator()  # before jax is imported

import jax
import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.models.cnn_lstm import CnnLstm
from emojax.models.lstm import AdaptedKernel, lstm

CLASSES, RATE = 6, 1e-3


def make_arguments(settings: dict) -> tuple[CnnLstm, dict, np.ndarray, np.ndarray]:
    """Make the network, its parameters, waveforms f32 ``[B, T]`` and what the LSTM is given."""
    how = {"adapters": False, "recurrence": "directions", **settings.get("config", {})}
    model = CnnLstm(classes=CLASSES, **how)
    batch, samples = settings["batch_size"], int(settings["window_s"] * SAMPLE_RATE_HZ)
    random = np.random.default_rng(0)
    audio = random.normal(0, 0.1, (batch, samples)).astype(np.float32)
    steps = samples
    for fewer in (model.conv_stride, model.pool, model.pool):
        steps = math.ceil(steps / fewer)
    steps_of = random.normal(size=(batch, steps, model.conv_features)).astype(np.float32)
    inputs = jnp.zeros((1, 2_048)), jnp.full(1, 2_048), jnp.ones(CLASSES, bool)
    params = jax.jit(lambda: model.init(jax.random.key(0), *inputs, train=False)["params"])()
    noise = lambda leaf: leaf + random.normal(0, 0.02, leaf.shape).astype(np.float32)  # noqa: E731
    return model, jax.tree.map(noise, params), audio, steps_of  # biases begin at zero


def make_network(model: CnnLstm, train: bool):
    """Make the function of parameters and waveforms that gives logits."""

    def network(params, audio):
        inputs = model.inputs(audio, jnp.full(len(audio), audio.shape[1]))
        rngs = {"dropout": jax.random.key(1)} if train else {}
        classes = jnp.ones(CLASSES, bool)
        return model.apply({"params": params}, *inputs, classes, train, rngs=rngs).logits

    return network


def make_lstm(model: CnnLstm):
    """Make the function of parameters and steps that gives the outputs of both directions."""

    def outputs(params, x):
        kernels = [
            AdaptedKernel(model.lstm_units).apply({"params": params[name]}, x.shape[-1])
            for name in ("lstm_forward", "lstm_backward")
        ]
        return jnp.concatenate(lstm(x, jnp.full(len(x), x.shape[1]), kernels), axis=-1)

    return outputs


def make_step(function):
    """Make a step of SGD on the cross-entropy of label 0, or on the mean of all outputs."""

    def loss(params, x):
        outputs = function(params, x)
        return outputs.mean() if outputs.ndim == 3 else -jax.nn.log_softmax(outputs)[:, 0].mean()

    @jax.jit
    def step(params, x):
        grads = jax.grad(loss)(params, x)
        return jax.tree.map(lambda param, grad: param - RATE * grad, params, grads)

    return step


def main() -> None:
    """Serve steps or forward passes, or write parameters and logits for the twin."""
    settings = worker.settings()
    model, params, audio, steps = make_arguments(settings)
    if settings["job"] == "export":
        flat = traverse_util.flatten_dict(params, sep=".")
        logits = jax.jit(make_network(model, False))(params, audio)
        sizes = {"stride": model.conv_stride, "pool": model.pool}
        arrays = {"audio": audio, "steps": steps, "logits": logits, **sizes}
        np.savez(settings["exported"], **arrays, **{f"params/{name}": flat[name] for name in flat})
        return worker.serve(lambda: 1, dict)
    training, alone = settings["job"] == "training", settings["part"] == "lstm"
    x = jnp.asarray(steps if alone else audio)
    function = make_lstm(model) if alone else make_network(model, training)
    call = make_step(function) if training else jax.jit(function)
    if alone:
        params = {name: leaf for name, leaf in params.items() if name.startswith("lstm")}
    params = jax.device_put(params)

    def turn() -> int:
        nonlocal params
        result = jax.block_until_ready(call(params, x))
        params = result if training else params
        return 1

    return worker.serve(turn, lambda: {"version": f"jax {jax.__version__}"})


if __name__ == "__main__":
    main()
