"""Long short-term memory that skips padding, with low-rank adapters of a corpus."""

from __future__ import annotations

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

GATES = 4  # input, forget, cell, output
_SCALE = np.array([0.5, 0.5, 1, 0.5], np.float32)[:, None, None]


class AdaptedLSTM(nn.Module):
    """Shared LSTM in one direction, whose products have parallel adapters (LoRA, Hu et al. 2022).

    An adapter of rank R is the product of a random and a zero matrix, so that a new corpus starts
    with the shared LSTM; it is added to the kernel before the recurrence.

    Attributes:
      units: U, size of the state.
      rank: R; 0 for no adapters.
      backward: run from the last valid step to the first.
      unroll: write all steps out instead of a loop.
    """

    units: int
    rank: int = 0
    backward: bool = False
    unroll: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, length: jax.Array) -> jax.Array:
        """Map float ``[B, S, C]`` with i32 ``[B]`` valid steps to the outputs ``[B, S, U]``.

        At padded steps the output is that of the last valid step before, or 0.
        """
        kernel = self._kernel("input", x.shape[-1], nn.initializers.glorot_uniform())
        recurrent = self._kernel("recurrent", self.units, nn.initializers.orthogonal())
        bias = self.param("bias", _forget_gate_open, (GATES * self.units,))
        gates = jnp.einsum("bsc,cg->sgb", x, kernel.astype(x.dtype))
        gates = gates + bias.astype(x.dtype)[:, None]
        valid = (jnp.arange(x.shape[1])[:, None] < length)[:, None]
        how = self.backward, x.shape[1] if self.unroll else 1
        return recur(gates, recurrent.astype(x.dtype), valid, *how).transpose(2, 0, 1)

    def _kernel(self, name: str, channels: int, init: nn.initializers.Initializer) -> jax.Array:
        """Return a kernel ``[channels, 4 · U]`` with the corpus's adapter added."""
        kernel = self.param(f"{name}_kernel", init, (channels, GATES * self.units))
        if not self.rank:
            return kernel
        down = self.param(
            f"adapter_{name}_down", nn.initializers.lecun_normal(), (channels, self.rank)
        )
        up = self.param(
            f"adapter_{name}_up", nn.initializers.zeros, (self.rank, GATES * self.units)
        )
        return kernel + down @ up


def _forget_gate_open(key: jax.Array, shape: tuple[int], dtype=jnp.float32) -> jax.Array:
    """Return a bias of 1 for the forget gate and 0 elsewhere (Jozefowicz et al. 2015)."""
    return jnp.zeros((GATES, shape[0] // GATES), dtype).at[1].set(1).reshape(shape)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3, 4))
def recur(
    gates: jax.Array, recurrent: jax.Array, valid: jax.Array, backward: bool, unroll: int
) -> jax.Array:
    """Run the recurrence: products with the input ``[S, 4 · U, B]`` → outputs ``[S, U, B]``.

    Two things make it fast on CPUs: the batch is last, so that the large matrix of every product
    lies in memory as the product reads it; and the gradient is written out, so that the kernel's is
    one product over all steps and not a sum that every step adds to. In reverse mode only.

    Args:
      gates: float, the products with the input and the bias.
      recurrent: float ``[U, 4 · U]``.
      valid: bool ``[S, 1, B]``; other steps keep the state.
      backward: run from the last step to the first.
      unroll: steps that are written out in an iteration of the loop.
    """
    return _forward(gates, recurrent, valid, backward, unroll)[0]


def _forward(gates, recurrent, valid, backward, unroll):
    rows = recurrent.T

    def step(carry, now):
        cell, hidden = carry
        gates, valid = now
        active = _activate((gates + rows @ hidden).reshape(GATES, *hidden.shape))
        enter, keep, new, leave = active
        cell = jnp.where(valid, keep * cell + enter * new, cell)
        hidden = jnp.where(valid, leave * jnp.tanh(cell), hidden)
        return (cell, hidden), (hidden, cell, active)

    zeros = jnp.zeros_like(gates[0, : len(recurrent)])
    _, (outputs, cells, active) = jax.lax.scan(
        step, (zeros, zeros), (gates, valid), reverse=backward, unroll=unroll
    )
    return outputs, (outputs, cells, active, recurrent, valid)


def _backward(backward, unroll, saved, grad):
    outputs, cells, active, recurrent, valid = saved
    before, cells_before = _delayed(outputs, backward), _delayed(cells, backward)

    def step(carry, now):
        grad_cell, grad_hidden = carry
        grad, active, cell, cell_before, valid = now
        enter, keep, new, leave = active
        grad_hidden, tanh = grad_hidden + grad, jnp.tanh(cell)
        inner = grad_cell + grad_hidden * leave * (1 - tanh * tanh)
        parts = inner * new, inner * cell_before, inner * enter, grad_hidden * tanh
        grads = jnp.where(valid, jnp.stack(parts) * _slope(active), 0)
        grads = grads.reshape(-1, grads.shape[-1])
        grad_cell = jnp.where(valid, inner * keep, grad_cell)
        grad_hidden = jnp.where(valid, 0, grad_hidden) + recurrent @ grads
        return (grad_cell, grad_hidden), grads

    zeros = jnp.zeros_like(outputs[0])
    _, grads = jax.lax.scan(
        step,
        (zeros, zeros),
        (grad, active, cells, cells_before, valid),
        reverse=not backward,
        unroll=unroll,
    )
    return grads, jnp.einsum("sub,sgb->ug", before, grads), None


recur.defvjp(_forward, _backward)


def _delayed(states: jax.Array, backward: bool) -> jax.Array:
    """Return the state before each step, which is 0 before the first."""
    zero = jnp.zeros_like(states[:1])
    parts = [states[1:], zero] if backward else [zero, states[:-1]]
    return jnp.concatenate(parts)


def _activate(gates: jax.Array) -> jax.Array:
    """Apply tanh to the third of ``[4, U, B]`` and ½ + ½ tanh(x / 2), the logistic, to the rest."""
    scale = _SCALE.astype(gates.dtype)
    return scale * jnp.tanh(scale * gates) + (1 - scale)


def _slope(active: jax.Array) -> jax.Array:
    """Return the derivative of :func:`_activate` from its values."""
    scale = _SCALE.astype(active.dtype)
    return (1 - active) * (active + (2 * scale - 1))
