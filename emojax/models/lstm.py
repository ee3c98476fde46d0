"""Long short-term memory that skips padding, with low-rank adapters of a corpus."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

GATES = 4  # input, forget, cell, output
_SCALE = np.array([0.5, 0.5, 1, 0.5], np.float32)[:, None, None]

Kernel = tuple[jax.Array, jax.Array]


class AdaptedKernel(nn.Module):
    """Parameters of an LSTM in one direction, with parallel adapters (LoRA, Hu et al. 2022).

    An adapter of rank R is the product of a random and a zero matrix, so that a new corpus starts
    with the shared LSTM; it is added to the kernel before the recurrence.

    Attributes:
      units: U, size of the state.
      rank: R; 0 for no adapters.
    """

    units: int
    rank: int = 0

    @nn.compact
    def __call__(self, channels: int) -> Kernel:
        """Return the kernel f32 ``[C + U, 4 · U]`` for C channels, and the bias f32 ``[4 · U]``."""
        of_input = self._kernel("input", channels, nn.initializers.glorot_uniform())
        recurrent = self._kernel("recurrent", self.units, nn.initializers.orthogonal())
        bias = self.param("bias", _forget_gate_open, (GATES * self.units,))
        return jnp.concatenate([of_input, recurrent]), bias

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


def lstm(
    x: jax.Array, length: jax.Array, kernels: Sequence[Kernel], unroll: bool = False
) -> list[jax.Array]:
    """Run an LSTM in one direction, or in both.

    At padded steps the output is that of the last valid step before them, or 0.

    Args:
      x: float ``[B, S, C]``.
      length: i32 ``[B]``, valid steps.
      kernels: result of an :class:`AdaptedKernel` for each direction; the second one is backward.
      unroll: unroll the loop over all steps.

    Returns:
      the outputs of each direction, ``[B, S, U]``.

    >>> kernel = jnp.ones((5, 8)), jnp.zeros(8)
    >>> forward, backward = lstm(jnp.ones((1, 7, 3)), jnp.array([7]), [kernel, kernel])
    >>> forward.shape, bool((forward == backward[:, ::-1]).all())
    ((1, 7, 2), True)
    """
    kernel, bias = (jnp.stack(leaves).astype(x.dtype) for leaves in zip(*kernels, strict=True))
    turns = [slice(None), slice(None, None, -1)][: len(kernels)]
    valid = (jnp.arange(x.shape[1])[:, None] < length)[:, None]
    given = [x.transpose(1, 0, 2)[turn] for turn in turns]
    valid = jnp.stack([valid[turn] for turn in turns], axis=1)
    outputs = recur(given, kernel, bias, valid, x.shape[1] if unroll else 1)
    return [own[turn].transpose(1, 0, 2) for own, turn in zip(outputs, turns, strict=True)]


@functools.partial(jax.custom_vjp, nondiff_argnums=(4,))
def recur(
    x: list[jax.Array], kernel: jax.Array, bias: jax.Array, valid: jax.Array, unroll: int
) -> list[jax.Array]:
    """Run D recurrences side by side: D × ``[S, B, C]`` → D × ``[S, B, U]``.

    Three things make it fast on CPUs. Each step has one product: the kernel by the concatenated
    input and state. The batch is the last axis there, so the kernel has the memory layout that the
    product reads. The gradient is explicit: the kernel's gradient is one product over all steps,
    not a sum over steps. The gradient exists in reverse mode only.

    Args:
      x: float, D inputs.
      kernel: float ``[D, C + U, 4 · U]``.
      bias: float ``[D, 4 · U]``.
      valid: bool ``[S, D, 1, B]``; other steps keep the state.
      unroll: number of steps in an iteration of the loop.
    """
    return _forward(x, kernel, bias, valid, unroll)[0]


def _forward(x, kernel, bias, valid, unroll):
    rows, bias, units = kernel.transpose(0, 2, 1), bias[..., None], bias.shape[-1] // GATES

    def step(carry, now):
        cell, hidden = carry
        x, valid = now
        given = jnp.concatenate([jnp.stack([own.T for own in x]), hidden], axis=1)
        active = _activate(jnp.einsum("dgk,dkb->dgb", rows, given) + bias)
        enter, keep, new, leave = jnp.unstack(active, axis=1)
        cell = jnp.where(valid, keep * cell + enter * new, cell)
        hidden = jnp.where(valid, leave * jnp.tanh(cell), hidden)
        return (cell, hidden), ([own.T for own in hidden], cell, active)

    zeros = jnp.zeros((len(x), units, x[0].shape[1]), x[0].dtype)
    _, (outputs, cells, active) = jax.lax.scan(step, (zeros, zeros), (x, valid), unroll=unroll)
    return outputs, (x, outputs, cells, active, kernel, valid)


def _backward(unroll, saved, grad):
    x, outputs, cells, active, kernel, valid = saved
    channels = x[0].shape[-1]

    def step(carry, now):
        grad_cell, grad_hidden = carry
        grad, active, cell, cell_before, valid = now
        enter, keep, new, leave = jnp.unstack(active, axis=1)
        grad_hidden = grad_hidden + jnp.stack([own.T for own in grad])
        tanh = jnp.tanh(cell)
        inner = grad_cell + grad_hidden * leave * (1 - tanh * tanh)
        parts = [inner * new, inner * cell_before, inner * enter, grad_hidden * tanh]
        grads = (jnp.stack(parts, axis=1) * _slope(active)).reshape(len(kernel), -1, tanh.shape[-1])
        grads = jnp.where(valid, grads, 0)
        grad_cell = jnp.where(valid, inner * keep, grad_cell)
        given = jnp.einsum("dkg,dgb->dkb", kernel, grads)
        grad_hidden = jnp.where(valid, 0, grad_hidden) + given[:, channels:]
        ours = [own.T for own in given[:, :channels]], [own.T for own in grads]
        return (grad_cell, grad_hidden), ours

    zeros, given = jnp.zeros_like(cells[0]), (grad, active, cells, _delayed(cells), valid)
    _, (grad_x, grads) = jax.lax.scan(step, (zeros, zeros), given, reverse=True, unroll=unroll)
    before = [
        jnp.concatenate([own, _delayed(out)], -1) for own, out in zip(x, outputs, strict=True)
    ]
    kernels = [_flat(own).T @ _flat(grad) for own, grad in zip(before, grads, strict=True)]
    biases = [_flat(grad).sum(0) for grad in grads]
    return grad_x, jnp.stack(kernels), jnp.stack(biases), None


recur.defvjp(_forward, _backward)


def _delayed(states: jax.Array) -> jax.Array:
    """Return the state before each step, which is 0 before the first."""
    return jnp.concatenate([jnp.zeros_like(states[:1]), states[:-1]])


def _flat(steps: jax.Array) -> jax.Array:
    return steps.reshape(-1, steps.shape[-1])


def _activate(gates: jax.Array) -> jax.Array:
    """Split ``[D, 4 · U, B]`` into gates ``[D, 4, U, B]`` and activate them.

    The third gate has tanh, the others the logistic function, which is ½ + ½ tanh(x / 2).
    """
    gates = gates.reshape(len(gates), GATES, -1, gates.shape[-1])
    scale = _SCALE.astype(gates.dtype)
    return scale * jnp.tanh(scale * gates) + (1 - scale)


def _slope(active: jax.Array) -> jax.Array:
    """Return the derivative of :func:`_activate` from its values."""
    scale = _SCALE.astype(active.dtype)
    return (1 - active) * (active + (2 * scale - 1))
