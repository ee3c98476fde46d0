"""How fast this machine can be at best, and what a training step takes at that speed."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from emojax.audio.log_mel import MELS, frame_count
from emojax.models.adapter_resnet import AdapterResNet
from emojax.models.cost import forward_flops

_BUDGET_S = 0.15
_forward_flops = functools.cache(forward_flops)


@functools.cache
def measured_flops_per_s(dtype: DTypeLike) -> float:
    """Floating-point operations a second of the default device: its best large matrix product.

    It takes 0.2 s beside compiling, or two products where one takes longer than that.
    """
    size = 2048 if jax.default_backend() == "cpu" else 8192
    # Not ones: the fewer bits change, the higher an accelerator's clock.
    matrix = jnp.sin(jnp.arange(size * size, dtype=jnp.float32)).reshape(size, size).astype(dtype)
    product = jax.jit(jnp.matmul).lower(matrix, matrix).compile()
    times_s: list[float] = []
    while len(times_s) < 2 or sum(times_s) < _BUDGET_S:
        begin_s = time.perf_counter()
        jax.block_until_ready(product(matrix, matrix))
        times_s.append(time.perf_counter() - begin_s)
    return 2 * size**3 / min(times_s)


def step_floors_s(
    model: AdapterResNet,
    lengths: Mapping[str, np.ndarray],
    windows: Mapping[str, int],
    batch_size: int,
) -> dict[str, float]:
    """Seconds that a training step of each corpus takes at the peak of all devices.

    Only what the clips need counts: frames of padding are work that could be saved.  The gradient
    of the inputs is as much again as the forward pass, and so is that of the kernels, where they
    are trained.

    Args:
      model: the network.
      lengths: corpus → samples of each clip of its training part, int ``[N]``.
      windows: corpus → samples, to which longer clips are cut.
      batch_size: clips in a step.

    Returns:
      corpus → seconds; empty where operations cannot be counted, which needs JAX's CPU backend.
    """
    longest_frames = int(frame_count(max(windows.values())))
    try:
        forward = _forward_flops(model, longest_frames, MELS) / longest_frames
    except RuntimeError:
        return {}
    passes = 1 + (not model.frozen_norms) + (not model.frozen_kernels)
    frame_s = passes * forward / (measured_flops_per_s(jnp.dtype(model.compute_dtype)) * _devices())
    return {
        name: batch_size * float(frame_count(np.minimum(own, windows[name])).mean()) * frame_s
        for name, own in lengths.items()
    }


def _devices() -> int:
    """Simulated devices of a CPU share its cores."""
    return jax.process_count() if jax.default_backend() == "cpu" else jax.device_count()
