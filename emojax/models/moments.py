"""Sums of batch normalisation: one reduction in the forward pass and one in the backward pass.

On a GPU, XLA reduces a large array in two launches; a second sum would need a launch of its own.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp

Sums = tuple[jax.Array, jax.Array]


def _sum_both(x: jax.Array, y: jax.Array) -> Sums:
    zero, add = jnp.zeros((), x.dtype), functools.partial(jax.tree.map, jnp.add)
    return tuple(jax.lax.reduce((x, y), (zero, zero), add, range(x.ndim - 1)))


@jax.custom_vjp
def sums(x: jax.Array) -> Sums:
    """Sum float ``[..., C]``, and its squares, over all axes but the last.

    >>> [one.tolist() for one in sums(jnp.array([[1.0, 2.0], [3.0, 4.0]]))]
    [[4.0, 6.0], [10.0, 20.0]]
    """
    return _sum_both(x, jnp.square(x))


def _sums_backward(x: jax.Array, gradients: Sums) -> tuple[jax.Array]:
    of_sum, of_squares = gradients
    return (of_sum + of_squares * (2 * x),)


sums.defvjp(lambda x: (sums(x), x), _sums_backward)


@jax.custom_vjp
def scale(x: jax.Array, factor: jax.Array, offset: jax.Array) -> jax.Array:
    """Scale float ``[..., C]`` by a factor and an offset ``[C]``."""
    return x * factor + offset


def _scale_backward(
    inputs: tuple[jax.Array, jax.Array], dy: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    x, factor = inputs
    return dy * factor, *_sum_both(dy * x, dy)


scale.defvjp(lambda x, factor, offset: (x * factor + offset, (x, factor)), _scale_backward)
