"""How many bytes a training step has to move, and how many a second this machine can."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp

from emojax.models.adapter_resnet import AdapterResNet

COPIED_BYTES = {"cpu": 2**28, "other": 2**31}  # larger than any cache


def training_bytes(model: AdapterResNet, batch_size: int, frames: int, mels: int) -> float:
    """Bytes of a training step in which everything but convolutions costs nothing.

    A convolution reads its input and its kernel and writes its output; what lies between two of
    them can be part of either.  Its two gradients move as much again, each.  To that come the
    parameters: gradient and momentum are read and written, and so are they.
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
    """Inputs and outputs of each convolution, those inside of jitted functions too."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "conv_general_dilated":
            yield [*equation.invars, *equation.outvars]
        for inner in equation.params.values():
            if hasattr(inner, "eqns"):
                yield from _convolutions(inner)


def _bytes(array) -> int:
    return array.size * array.dtype.itemsize


def make_copy() -> tuple[Callable[[], object], int]:
    """A function that copies one large array and waits for it, and the bytes that it reads and writes."""
    size = COPIED_BYTES.get(jax.default_backend(), COPIED_BYTES["other"])
    arrays = [jnp.arange(size // 4, dtype=jnp.float32)]
    copy = jax.jit(lambda array: array + 1, donate_argnums=0)  # a mere copy would be no work

    def run() -> None:
        # In place: what new memory costs at its first use is no traffic.
        arrays[0] = jax.block_until_ready(copy(arrays[0]))

    return run, 2 * size
