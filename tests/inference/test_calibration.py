"""Calibrated answers keep their labels; what is unlike training is said to be so."""

import json

import numpy as np
import pytest
from scipy.special import softmax

from emojax.inference.api import Model
from emojax.inference.calibration import (
    CALIBRATION_FILE,
    Calibration,
    level_db,
    read_calibrations,
    tempered,
    write_calibrations,
)


@pytest.fixture
def calibration():
    """Of embeddings [2] with variance 4 along the first axis and 1 across it."""
    return Calibration(
        temperature=2.0,
        shortest_s=0.5,
        quietest_db=-40.0,
        mean=np.array([1.0, 1.0]),
        axes=np.array([[1.0, 0.0]]),
        variances=np.array([4.0]),
        rest_variance=1.0,
        farthest=3.0,
        devel_to_train=1.2,
    )


def test_a_temperature_divides_the_logits_and_changes_no_label():
    logits = np.random.default_rng(0).normal(0, 10, (500, 6))
    own = softmax(logits, axis=1).astype(np.float32)
    for temperature in (0.3, 1.0, 4.0, 20.0):
        calibrated = tempered(own, temperature)
        assert calibrated == pytest.approx(softmax(logits / temperature, axis=1), abs=1e-5)
        assert (calibrated.argmax(axis=1) == own.argmax(axis=1)).all()


def test_probabilities_that_are_no_longer_told_from_zero_stay_finite():
    assert tempered(np.array([0.0, 0.0], np.float32), 0.25).tolist() == [0.5, 0.5]


def test_the_distance_is_mahalanobis(calibration):
    offsets = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [4.0, 2.0]])
    distances = calibration.distance((1 + offsets).astype(np.float32))
    assert distances == pytest.approx([0, 1, 2, 8**0.5])


def test_a_warning_says_why_and_what_is_usual_has_none(calibration):
    usual, far = np.array([1.0, 3.0]), np.array([1.0, 9.0])
    assert calibration.warning(usual, 0.25, -50.0) == ""
    assert "too short: 0.10 s" in calibration.warning(usual, 0.1, -20.0)
    assert "nearly silent: -70 dB" in calibration.warning(usual, 1.0, -70.0)
    assert "distance 8.0, where up to 3.0" in calibration.warning(far, 1.0, -20.0)
    assert "unlike" in calibration.warning(np.full(2, np.nan), 1.0, -20.0)


def test_level_is_of_full_scale_for_samples_of_both_kinds():
    sine = np.sin(np.arange(16_000))
    assert level_db(sine.astype(np.float32)) == pytest.approx(-3.01, abs=0.01)
    assert level_db((sine * 3276.8).astype(np.int16)) == pytest.approx(-23.01, abs=0.01)


def test_what_is_written_is_read(calibration, tmp_path):
    assert read_calibrations(tmp_path) == {}
    write_calibrations(tmp_path, {"tones": calibration})
    assert read_calibrations(tmp_path)["tones"].to_json() == calibration.to_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0}, "temperature is not greater than 0"),
        ({"temperature": "hot"}, "temperature has no numbers"),
        ({"farthest": float("inf")}, "not finite"),
        ({"mean": [[0.0, 0.0]]}, "2 dimensions"),
        ({"mean": [0.0, 0.0, 0.0]}, "do not belong together"),
        ({"variances": [-1.0]}, "variances is not greater than 0"),
        ({"axes": None}, "axes"),
    ],
)
def test_a_strange_calibration_is_one_clear_error(calibration, tmp_path, change, message):
    content = {"tones": {**calibration.to_json(), **change}}
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=f"{message}.*copy it anew, or remove"):
        read_calibrations(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", '{"tones": 3}', "[" * 100_000, '{"tones": {}}'])
def test_a_damaged_file_is_one_clear_error(tmp_path, text):
    (tmp_path / CALIBRATION_FILE).write_text(text)
    with pytest.raises(ValueError, match="is damaged"):
        read_calibrations(tmp_path)


def test_a_calibration_of_another_network_is_refused(calibration, model):
    with pytest.raises(ValueError, match=r"embeddings of 2 numbers.*32"):
        Model("tones", model.labels, model._model, model._network, calibration)
