"""Cycles of pieces of a step on a TPU v5e that is not there, before and after a change.

    JAX_PLATFORMS=cpu python benchmarks/pieces.py [PIECE ...]

At the paper's width, 64 clips of 1.67 s. Cycles are the compiler's own model, not a measurement.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import compiled
import cycles
import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.sharding import SingleDeviceSharding

from emojax.audio.log_mel import TRANSFORMS
from emojax.data.feeds import ROW_SAMPLES, _cut, _cut_by_product
from emojax.models.layers import AdaptedConv, halve, widen

CLIPS, FRAMES, MELS, WIDTH = 64, 105, 64, 32
SHAPE = jax.ShapeDtypeStruct


def cut(function: Callable) -> tuple[Callable, tuple]:
    """Cut chunks out of their rows."""
    rows = SHAPE((CLIPS, FRAMES + 1, ROW_SAMPLES), jnp.int16)
    return function, (rows, SHAPE((CLIPS,), jnp.int32))


def transform(name: str) -> tuple[Callable, tuple]:
    """Compute the power spectra of frames."""
    return TRANSFORMS[name], (SHAPE((CLIPS, FRAMES, 512), jnp.float32),)


def shortcut(pooling: bool, stack: int) -> tuple[Callable, tuple]:
    """Compute a stack's strided convolution plus its shortcut, and both gradients."""
    frames, mels = -(-FRAMES // 2**stack), MELS // 2**stack
    channels, features = WIDTH * 2**stack, WIDTH * 2 ** (stack + 1)
    conv = AdaptedConv(features, 2, pooling=pooling)
    x = SHAPE((CLIPS, frames, mels, channels), jnp.bfloat16)
    dy = SHAPE((CLIPS, -(-frames // 2), mels // 2, features), jnp.bfloat16)

    def sum_(params, x):
        y, pooled = jnp.split(conv.apply({"params": params}, x), [features], axis=-1)
        return y + (widen(pooled, features) if pooling else halve(x, features))

    def value_and_gradients(params, x, dy):
        y, pullback = jax.vjp(sum_, params, nn.relu(x))  # something is before it
        return y, pullback(dy)

    params = {
        "kernel": SHAPE((3, 3, channels, features), jnp.float32),
        "adapter": SHAPE((channels, features), jnp.float32),
    }
    return value_and_gradients, (params, x, dy)


PIECES = {
    "transform-f32": lambda: transform("f32"),
    "transform-product": lambda: transform("product"),
    "cut-slices": lambda: cut(_cut),
    "cut-products": lambda: cut(_cut_by_product),
} | {
    f"shortcut{stack}-{'convolved' if pooling else 'halved'}": (
        lambda stack=stack, pooling=pooling: shortcut(pooling, stack)
    )
    for stack in range(3)
    for pooling in (False, True)
}


def main(names: list[str]) -> None:
    """Print the milliseconds of each piece."""
    device = SingleDeviceSharding(compiled.tpu("v5e:1x1")[0])
    for name in names or PIECES:
        function, shapes = PIECES[name]()
        placed = jax.tree.map(lambda one: SHAPE(one.shape, one.dtype, sharding=device), shapes)
        begin_s = time.process_time()
        hlo = jax.jit(function).lower(*placed).compile().as_text()
        taken = sum(own for own, *_ in cycles.operations(hlo)) / cycles.V5E_HZ
        cpu_s = time.process_time() - begin_s
        print(f"{name}: {1e3 * taken:.3f} ms (compiled in {cpu_s:.0f} CPU s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
