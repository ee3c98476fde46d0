"""Stochastic gradient descent as the paper has it."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import optax


def sgd(momentum: float, l2: float) -> optax.GradientTransformation:
    """Momentum, and the gradient of the loss term ``l2 · ‖kernels‖²`` (section 4.3).

    The learning rate is not in it: it follows the round number, which only the loop knows.
    Biases and norms are not regularised.
    """

    def kernels(params):
        return jax.tree.map(lambda leaf: leaf.ndim > 1, params)

    return optax.chain(optax.add_decayed_weights(2 * l2, mask=kernels), optax.trace(momentum))


def frozen() -> optax.GradientTransformation:
    """No update at all; XLA then drops the gradients too."""
    return optax.set_to_zero()


def learning_rate(round_, rates: Sequence[float], rounds_per_phase: int, decay: float) -> jax.Array:
    """The paper's schedule: a phase per rate, each also divided by ``1 + decay · round``.

    >>> float(learning_rate(2500, (0.1, 0.01, 0.001), 2500, 0.0))
    0.00999...
    """
    phase = jnp.minimum(round_ // rounds_per_phase, len(rates) - 1)
    return jnp.asarray(rates, jnp.float32)[phase] / (1 + decay * round_)
