"""Memory traffic: the bytes that a training step moves, and the machine's bytes per second."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp

from emojax.models.adapter_resnet import AdapterResNet
from emojax.target import here

COPIED_BYTES = {"cpu": 2**28, "other": 2**31}  # larger than any cache


def training_bytes(model: AdapterResNet, batch_size: int, frames: int, mels: int) -> float:
    """Count the bytes that the convolutions and parameters of a training step move.

    A convolution reads its input and its kernel and writes its output; operations between two
    convolutions can be fused into them. Each of its two gradients moves as much again. The update
    reads and writes the parameters, their gradient and their momentum.
    """
    model = model.clone(fast_conv=False, fold_adapters=True)
    shape = jax.ShapeDtypeStruct
    inputs = (
        shape((batch_size, frames, mels), jnp.float32),
        shape((batch_size,), jnp.int32),
        shape((model.classes,), bool),
    )
    variables = jax.eval_shape(
        lambda *args: model.init(*args, train=False), jax.random.key(0), *inputs
    )
    jaxpr = jax.make_jaxpr(lambda *args: model.apply(*args, train=False))(variables, *inputs)
    moved = sum(_bytes(variable.aval) for conv in _convolutions(jaxpr) for variable in conv)
    return 3 * moved + 6 * sum(map(_bytes, jax.tree.leaves(variables["params"])))


def _convolutions(jaxpr) -> Iterator[list]:
    """Find inputs and outputs of each convolution, also inside jitted functions."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            yield [*equation.invars, *equation.outvars]
        for inner in equation.params.values():
            if hasattr(inner, "eqns"):
                yield from _convolutions(inner)


def _bytes(array) -> int:
    return array.size * array.dtype.itemsize


def make_copy() -> tuple[Callable[[], object], int]:
    """Make a function that copies a large array and waits; also return the bytes it moves."""
    size = COPIED_BYTES.get(here().platform, COPIED_BYTES["other"])
    arrays = [jnp.arange(size // 4, dtype=jnp.float32)]
    copy = jax.jit(lambda array: array + 1, donate_argnums=0)  # XLA would remove a plain copy

    def run() -> None:
        # In place, so that the first use of new memory is not measured.
        arrays[0] = jax.block_until_ready(copy(arrays[0]))

    return run, 2 * size
