"""Stochastic gradient descent as the paper has it."""

from __future__ import annotations

import jax
import optax


def sgd(momentum: float, l2: float) -> optax.GradientTransformation:
    """Momentum, and the gradient of the loss term ``l2 · ‖kernels‖²`` (section 4.3).

    The learning rate is not in it: it follows the schedule, which only the loop knows.
    Biases and norms are not regularised.
    """

    def kernels(params):
        return jax.tree.map(lambda leaf: leaf.ndim > 1, params)

    return optax.chain(optax.add_decayed_weights(2 * l2, mask=kernels), optax.trace(momentum))


def frozen() -> optax.GradientTransformation:
    """No update at all; XLA then drops the gradients too."""
    return optax.set_to_zero()
