import numpy as np
import pytest

from emojax.data.units import Units


def test_numbers_come_back_in_their_units_also_from_a_file():
    values = np.random.default_rng(0).normal([3, 100], [0.5, 20], (50, 2))
    units = Units.of(values)
    np.testing.assert_allclose(units.scaled(values).mean(0), 0, atol=1e-7)
    np.testing.assert_allclose(units.scaled(values).std(0), 1, atol=1e-7)
    np.testing.assert_allclose(units.restored(units.scaled(values)), values)
    assert Units.from_json(units.to_json(), 2) == units


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no mean and deviation of 1"),
        ({"mean": [0.0], "deviation": []}, "no mean and deviation of 1"),
        ({"mean": ["0"], "deviation": [1.0]}, "no number"),
        ({"mean": [0.0], "deviation": [float("nan")]}, "no number"),
        ({"mean": [0.0], "deviation": [0.0]}, "not greater than 0"),
    ],
)
def test_units_of_a_stranger_are_checked(content, message):
    with pytest.raises(ValueError, match=message):
        Units.from_json(content, 1)
