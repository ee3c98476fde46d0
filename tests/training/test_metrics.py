"""Losses, speed and waiting, as they are measured."""

import time

import jax.numpy as jnp
import pytest

from emojax.training.metrics import UNDER_WAY, Meter, NotFiniteLossError


def test_python_is_never_more_than_a_few_calls_ahead(monkeypatch):
    fetched = []
    monkeypatch.setattr(
        "emojax.training.metrics.jax.device_get", lambda losses: fetched.append(1) or losses
    )
    meter = Meter(8, {})
    for step in range(10):
        meter.add([step], ["a"], jnp.ones(1))
        assert len(fetched) == max(0, step + 1 - UNDER_WAY)
    assert meter.flush()["loss/a"] == 1
    assert len(fetched) == 10


def test_means_are_of_each_corpus_and_speed_is_of_all():
    meter = Meter(8, {"a": 0.02, "b": 0.04})
    meter.add([0, 1], ["a", "b"], jnp.array([1.0, 5.0]))
    meter.add([2, 3], ["a", "b"], jnp.array([2.0, 7.0]))
    time.sleep(0.2)
    measured = meter.flush()
    assert (measured["loss/a"], measured["loss/b"], measured["loss/mean"]) == (1.5, 6.0, 3.75)
    elapsed_s = 4 * measured["time/step_s"]
    assert elapsed_s >= 0.2
    assert measured["time/clips_per_s"] == pytest.approx(4 * 8 / elapsed_s, rel=0.01)
    assert measured["time/peak_share"] == pytest.approx(0.12 / elapsed_s, rel=0.01)
    meter.start()
    assert meter.speed() == {}


def test_without_a_count_of_operations_there_is_no_share():
    meter = Meter(8, {})
    meter.add([0], ["a"], jnp.ones(1))
    assert "time/peak_share" not in meter.flush()


def test_more_than_the_peak_is_not_shown():
    meter = Meter(8, {"a": 1e3})
    meter.add([0], ["a"], jnp.ones(1))
    assert "time/peak_share" not in meter.flush()


def test_the_first_loss_that_is_not_finite_is_named():
    meter = Meter(8, {})
    meter.add([4, 5], ["a", "b"], jnp.array([1.0, jnp.inf]))
    for step in range(6, 5 + UNDER_WAY):
        meter.add([step], ["a"], jnp.array([jnp.nan]))
    with pytest.raises(NotFiniteLossError, match="the loss of b is not finite in step 6") as error:
        meter.add([20], ["a"], jnp.array([jnp.nan]))
    assert (error.value.step, error.value.corpus) == (5, "b")
