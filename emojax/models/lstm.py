"""Long short-term memory that skips padding, with low-rank adapters of a corpus."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

GATES = 4  # input, forget, cell, output


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
        gates = (x @ kernel.astype(x.dtype) + bias.astype(x.dtype)).swapaxes(0, 1)
        valid = (jnp.arange(x.shape[1])[:, None] < length)[..., None]
        recurrent = recurrent.astype(x.dtype)

        def step(carry, now):
            cell, hidden = carry
            gates, valid = now
            new_cell, new_hidden = _update(cell, gates + hidden @ recurrent)
            carry = jnp.where(valid, new_cell, cell), jnp.where(valid, new_hidden, hidden)
            return carry, carry[1]

        zeros = jnp.zeros((x.shape[0], self.units), x.dtype)  # no len: it may be a symbol
        _, outputs = jax.lax.scan(
            step,
            (zeros, zeros),
            (gates, valid),
            reverse=self.backward,
            unroll=x.shape[1] if self.unroll else 1,
        )
        return outputs.swapaxes(0, 1)

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


def _update(cell: jax.Array, gates: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the next cell and hidden state ``[B, U]`` from the gates ``[B, 4 · U]``."""
    enter, keep, new, leave = jnp.split(gates, GATES, axis=-1)
    cell = jax.nn.sigmoid(keep) * cell + jax.nn.sigmoid(enter) * jnp.tanh(new)
    return cell, jax.nn.sigmoid(leave) * jnp.tanh(cell)
