"""Every device has its program, whether or not it is there."""

from types import SimpleNamespace

import jax
import pytest

from emojax.sharding import make_layout
from emojax.target import CPU, GPU, OLD_GPU, TPU, here, target_of


@pytest.mark.parametrize(
    ("device", "target"),
    [
        (SimpleNamespace(platform="cpu"), CPU),
        (SimpleNamespace(platform="tpu"), TPU),
        (SimpleNamespace(platform="gpu", compute_capability="7.5"), OLD_GPU),  # T4
        (SimpleNamespace(platform="gpu", compute_capability="8.0"), GPU),  # A100
        (SimpleNamespace(platform="gpu", compute_capability="12.0"), GPU),
        (SimpleNamespace(platform="gpu"), GPU),  # not NVIDIA's
    ],
)
def test_a_device_has_its_target(device, target):
    assert target_of(device) == target


def test_a_layout_knows_what_its_devices_are():
    assert make_layout().target == target_of(jax.devices()[0]) == here()
