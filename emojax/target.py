"""Which program is chosen for which kind of device; nothing else asks what it runs on."""

from __future__ import annotations

import dataclasses

import jax

HALF_SINCE = 8.0  # CUDA compute capability of the first GPUs that multiply bf16


@dataclasses.dataclass(frozen=True)
class Target:
    """Kind of device, and the programs for it.

    Attributes:
      platform: ``cpu``, ``gpu`` or ``tpu``.
      precision: of the network's trunk where the settings leave it open: f32, bf16 or f16.
      transform: the front-end's transform, of :data:`emojax.audio.log_mel.TRANSFORMS`.
      fast_conv: convolutions in the forms of :mod:`emojax.models.winograd`.
      conv_shortcut: the pooling of a shortcut is done by the convolution beside it.
      joint_sums: norms sum in the reductions of :mod:`emojax.models.moments`.
      flat_corpora: a round takes and puts back a corpus as one vector.
      whole_rounds: a call takes a round or several, so that a fast device never waits for Python;
        else one step. On a CPU a step is slower inside a loop (2.2 s instead of 0.9 s, see
        ``docs/performance.md``), and long enough by itself.
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
# A TPU has no transform in float64; its strided sums are slow, its matrix products are not.
TPU = Target("tpu", "bf16", "product", conv_shortcut=True)
# Each of a corpus's arrays would be a launch to read and one to write, each sum two.
GPU = Target("gpu", "bf16", "f64", joint_sums=True, flat_corpora=True)
# Such a GPU multiplies bf16 as f32, without tensor cores, and float64 at 1/32 of its speed.
OLD_GPU = Target("gpu", "f16", "f32", joint_sums=True, flat_corpora=True)


def target_of(device: jax.Device) -> Target:
    """Return what is chosen for a device, which may be one that is not there.

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
    """Return what is chosen for this process's devices."""
    return target_of(jax.local_devices()[0])
