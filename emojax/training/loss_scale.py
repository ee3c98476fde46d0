"""Loss scaling for float16, whose numbers go from 6e-8 to 65,504.

The loss is multiplied by a scale before its gradient is computed, and the gradient is divided by it
(Micikevicius et al. 2018, arXiv:1710.03740, section 3.2).
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.typing import DTypeLike

FIRST_SCALE = 2.0**12
LOWER = 2.0**-4  # factor of the next scale when a gradient is not finite


def value_and_grad(loss_fn: Callable, dtype: DTypeLike) -> Callable:
    """Make ``(params, params) -> (loss, aux), gradients``, for gradients that pass through a dtype.

    In float16 the loss is scaled. If a gradient is not finite, it is computed again with a smaller
    scale, down to 1. So no scale is kept between steps, and no step is skipped.

    Args:
      loss_fn: function of two pytrees; returns a float32 scalar and a pytree of other results.
      dtype: dtype of the network's trunk.

    >>> loss_fn = lambda a, b: (1e-8 * (a + b).astype(jnp.float16).astype(jnp.float32), ())
    >>> _, (gradient, _) = value_and_grad(loss_fn, jnp.float16)(jnp.ones(()), jnp.ones(()))
    >>> round(float(gradient) * 1e8, 2)
    1.0
    """
    if jnp.dtype(dtype) != jnp.float16:
        return jax.value_and_grad(loss_fn, argnums=(0, 1), has_aux=True)

    def at_scale(scale: jax.Array, *params):
        def scaled(*params):
            loss, aux = loss_fn(*params)
            return scale * loss, (loss, aux)

        (_, value), grads = jax.value_and_grad(scaled, argnums=(0, 1), has_aux=True)(*params)
        return value, jax.tree.map(lambda grad: grad / scale, grads)

    def in_range(*params):
        def attempt(carry):
            scale, _, _ = carry
            result = at_scale(scale, *params)
            return LOWER * scale, all_finite(result[1]), result

        first = jnp.float32(FIRST_SCALE)
        nothing = jax.tree.map(
            lambda leaf: jnp.zeros(leaf.shape, leaf.dtype),
            jax.eval_shape(at_scale, first, *params),
        )
        return jax.lax.while_loop(
            lambda carry: ~carry[1] & (carry[0] >= 1), attempt, (first, jnp.array(False), nothing)
        )[2]

    return in_range


def all_finite(tree) -> jax.Array:
    """Return whether all numbers of a tree are finite, bool ``[]``.

    >>> bool(all_finite([jnp.ones(2), jnp.array(jnp.inf)]))
    False
    """
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(tree)]))
