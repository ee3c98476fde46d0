"""The machine's peak, and what a step takes there."""

import jax.numpy as jnp
import numpy as np
import pytest

from emojax.models.adapter_resnet import AdapterResNet
from emojax.training import peak_flops
from emojax.training.peak_flops import measured_flops_per_s, step_floors_s


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.setattr(peak_flops, "measured_flops_per_s", lambda dtype: 1e9)
    monkeypatch.setattr(peak_flops, "_forward_flops", lambda model, samples: 4e3 * samples)


def test_a_matrix_product_is_not_faster_than_the_peak():
    assert 1e8 < measured_flops_per_s(jnp.float32) < 1e16


def test_floor_is_of_what_the_clips_need(machine):
    # Longer clips are cut.
    lengths = {"a": np.array([8_000, 16_000]), "b": np.array([90_000])}
    floors_s = step_floors_s(
        AdapterResNet(classes=3), lengths, {"a": 16_000, "b": 16_000}, batch_size=4
    )
    assert floors_s == pytest.approx({"a": 3 * 4 * 48e6 / 1e9, "b": 3 * 4 * 64e6 / 1e9})


@pytest.mark.parametrize(
    ("frozen_kernels", "frozen_norms", "passes"), [(True, False, 2), (True, True, 1)]
)
def test_what_is_frozen_has_no_gradient(frozen_kernels, frozen_norms, passes, machine):
    model = AdapterResNet(classes=3, frozen_kernels=frozen_kernels, frozen_norms=frozen_norms)
    floors_s = step_floors_s(model, {"a": np.array([16_000])}, {"a": 16_000}, batch_size=4)
    assert floors_s["a"] == pytest.approx(passes * 4 * 64e6 / 1e9)


def test_operations_that_cannot_be_counted_stop_nobody(monkeypatch):
    def uncountable(*_):
        raise RuntimeError("no CPU backend")

    monkeypatch.setattr(peak_flops, "_forward_flops", uncountable)
    assert (
        step_floors_s(AdapterResNet(classes=3), {"a": np.array([16_000])}, {"a": 16_000}, 4) == {}
    )
