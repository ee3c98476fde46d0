"""Choice of programs for each kind of device; no other module checks the device."""

from __future__ import annotations

import dataclasses

import jax

HALF_SINCE = 8.0  # CUDA compute capability of the first GPUs that multiply bf16


@dataclasses.dataclass(frozen=True)
class Target:
    """Kind of device, and the programs for it.

    Attributes:
      platform: ``cpu``, ``gpu`` or ``tpu``.
      precision: dtype of the network's trunk for ``precision="auto"``: f32, bf16 or f16.
      transform: the front-end's transform, of :data:`emojax.audio.log_mel.TRANSFORMS`.
      fast_conv: use the convolutions of :mod:`emojax.models.winograd`.
      conv_shortcut: pool a shortcut by the convolution of its block.
      joint_sums: norms use the reductions of :mod:`emojax.models.moments`.
      flat_corpora: a step reads and writes a corpus as one vector.
      whole_rounds: a call has one or more rounds, so that a fast device never waits for Python;
        else one step. On a CPU a step takes longer inside a loop (2.2 s instead of 0.9 s, see
        ``docs/performance.md``), and Python's time does not matter.
    """

    platform: str
    precision: str
    transform: str
    fast_conv: bool = False
    conv_shortcut: bool = False
    joint_sums: bool = False
    flat_corpora: bool = False
    whole_rounds: bool = True


CPU = Target("cpu", "f32", "f64", fast_conv=True, whole_rounds=False)
# A TPU has no Fourier transform in float64. Its strided sums are slow, its matrix products fast.
TPU = Target("tpu", "bf16", "product", conv_shortcut=True)
# Each array of a corpus would need a launch to read and one to write, and each sum two launches.
GPU = Target("gpu", "bf16", "f64", joint_sums=True, flat_corpora=True)
# Such a GPU multiplies bf16 without tensor cores, and float64 at 1/32 of its speed.
OLD_GPU = Target("gpu", "f16", "f32", joint_sums=True, flat_corpora=True)


def target_of(device: jax.Device) -> Target:
    """Return the choice for a device; the device may be simulated.

    >>> target_of(jax.devices("cpu")[0]).precision
    'f32'
    """
    if device.platform == "cpu":
        return CPU
    if device.platform == "tpu":
        return TPU
    capability = float(getattr(device, "compute_capability", HALF_SINCE))
    return GPU if capability >= HALF_SINCE else OLD_GPU


def here() -> Target:
    """Return the choice for this process's devices."""
    return target_of(jax.local_devices()[0])
