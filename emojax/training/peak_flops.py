"""Peak speed of this machine, and the time of a training step at that speed."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from emojax.models.cost import forward_flops
from emojax.models.speech_network import SpeechNetwork
from emojax.target import here

_BUDGET_S = 0.15
_forward_flops = functools.cache(forward_flops)


@functools.cache
def measured_flops_per_s(dtype: DTypeLike) -> float:
    """Measure the FLOP/s of the default device in its fastest large matrix product.

    This takes 0.2 s plus compilation, or two products when one takes longer than that.
    """
    size = 2048 if here().platform == "cpu" else 8192
    # An accelerator would raise its clock for a matrix of ones, where few bits change.
    matrix = jnp.sin(jnp.arange(size * size, dtype=jnp.float32)).reshape(size, size).astype(dtype)
    product = jax.jit(jnp.matmul).lower(matrix, matrix).compile()
    times_s: list[float] = []
    while len(times_s) < 2 or sum(times_s) < _BUDGET_S:
        begin_s = time.perf_counter()
        jax.block_until_ready(product(matrix, matrix))
        times_s.append(time.perf_counter() - begin_s)
    return 2 * size**3 / min(times_s)


def step_floors_s(
    model: SpeechNetwork,
    lengths: Mapping[str, np.ndarray],
    windows: Mapping[str, int],
    batch_size: int,
) -> dict[str, float]:
    """Compute the seconds of a training step of each corpus at the peak of all devices.

    Padding is not counted, since that work could be avoided. The gradient of the inputs costs as
    much as the forward pass; so does the gradient of the kernels, if they are trained.

    Args:
      model: the network.
      lengths: corpus → samples of each clip of its training part, int ``[N]``.
      windows: corpus → samples; longer clips are cut to them.
      batch_size: clips in a step.

    Returns:
      corpus → seconds; empty without JAX's CPU backend, which is needed to count operations.
    """
    longest = max(windows.values())
    try:
        forward = _forward_flops(model, longest) / longest
    except RuntimeError:
        return {}
    passes = 1 + (not model.frozen_norms) + (not model.frozen_kernels)
    sample_s = (
        passes * forward / (measured_flops_per_s(jnp.dtype(model.compute_dtype)) * _devices())
    )
    return {
        name: batch_size * float(np.minimum(own, windows[name]).mean()) * sample_s
        for name, own in lengths.items()
    }


def _devices() -> int:
    """Count the devices; on CPUs the processes, since simulated devices share the cores."""
    return jax.process_count() if here().platform == "cpu" else jax.device_count()
