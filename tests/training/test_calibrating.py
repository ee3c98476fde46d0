"""What is fitted at the end of training, and when it is taken from another run."""

import json
import shutil

import numpy as np
import pytest
from scipy.special import softmax

from emojax.inference.calibration import CALIBRATION_FILE, read_calibrations
from emojax.training.calibrating import describe, fit, fit_temperature, like, spread_rows
from emojax.training.loop import train


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_of_sure_answers_is_found(temperature):
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (20_000, 4))
    sums = softmax(logits, axis=1).cumsum(axis=1)
    labels = (random.random((len(logits), 1)) < sums).argmax(axis=1)
    found = fit_temperature(softmax(logits * temperature, axis=1), labels)
    assert found == pytest.approx(temperature, rel=0.05)


def test_always_right_and_always_wrong_stay_within_bounds():
    right = np.tile(np.array([0.9, 0.1], np.float32), (8, 1))
    assert fit_temperature(right, np.zeros(8, int)) == pytest.approx(0.25, rel=0.01)
    assert fit_temperature(right, np.ones(8, int)) == pytest.approx(20, rel=0.01)


def test_other_speakers_of_devel_widen_what_is_usual_and_noise_lies_beyond():
    random = np.random.default_rng(0)
    own = describe(random.normal(0, 1, (300, 32)), 1.0, -30.0)
    devel = random.normal(0, 2, (200, 32))
    answers = np.full((200, 2), 0.5), devel, np.zeros(200, int)
    fitted = fit(own, *answers)
    assert fitted.devel_to_train == pytest.approx(2, rel=0.2)
    assert (fitted.distance(devel) > fitted.farthest).mean() < 0.02
    assert (fitted.distance(random.normal(0, 10, (50, 32))) > fitted.farthest).all()
    reused = like(own, fitted)
    assert reused.temperature == fitted.temperature
    assert reused.farthest == pytest.approx(fitted.farthest)


def test_embeddings_that_are_all_alike_can_be_described():
    own = describe(np.ones((4, 8)), 1.0, -30.0)
    assert own.distance(np.ones((1, 8))) <= own.farthest
    assert own.distance(np.zeros((1, 8))) > own.farthest


def test_clips_are_spread_over_labels_and_speakers(tiny_corpora):
    part = tiny_corpora["tones"].stored("train")
    of = [part.corpus.clips[index] for index in part.indices]
    groups = {(clip.label, clip.speaker) for clip in of}
    rows = spread_rows(part, len(groups))
    assert {(of[row].label, of[row].speaker) for row in rows} == groups
    assert spread_rows(part, 10**6).tolist() == [*range(len(of))]


def test_a_finished_run_is_calibrated_when_it_is_resumed(
    tiny_config, tiny_paths, tiny_run, tmp_path
):
    shutil.copytree(tiny_run, run := tmp_path / "run")
    written = (run / CALIBRATION_FILE).read_text()
    assert len(written) < 40_000
    (run / CALIBRATION_FILE).unlink()
    train(tiny_config, run, tiny_paths)
    again = json.loads((run / CALIBRATION_FILE).read_text())
    for name, own in json.loads(written).items():
        assert again[name]["temperature"] == pytest.approx(own["temperature"], rel=1e-3)
        assert own["shortest_s"] < 0.7  # the crop, although most clips are longer


def test_another_run_stands_in_for_devel(tiny_config, tiny_paths, tiny_run, tmp_path):
    shutil.copytree(tiny_run, run := tmp_path / "run")
    (run / CALIBRATION_FILE).unlink()
    content = json.loads((tiny_run / CALIBRATION_FILE).read_text())
    (other := tmp_path / "other").mkdir()
    shutil.copytree(tiny_run / "checkpoints", other / "checkpoints")
    for own in content.values():
        own |= {"temperature": 7.0, "devel_to_train": 3.0}
    (other / CALIBRATION_FILE).write_text(json.dumps(content))
    train(tiny_config.replace(calibrated_by=str(other)), run, tiny_paths)
    for name, own in read_calibrations(run).items():
        assert own.temperature == 7.0
        ratio = own.farthest / read_calibrations(tiny_run)[name].farthest
        assert ratio == pytest.approx(
            3 / read_calibrations(tiny_run)[name].devel_to_train, rel=1e-3
        )


def test_a_run_that_cannot_calibrate_this_one_is_refused_before_training(
    tiny_config, tiny_paths, tiny_run, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tiny_run.parent))
    named = tiny_config.replace(calibrated_by=f"~/{tiny_run.name}")
    with pytest.raises(ValueError, match=r"config\.width"):
        train(named.replace(width=8), tmp_path / "a", tiny_paths)
    shutil.copytree(tiny_run / "checkpoints", tmp_path / "bare" / "checkpoints")
    with pytest.raises(ValueError, match="no calibration of tones, levels"):
        train(tiny_config.replace(calibrated_by=str(tmp_path / "bare")), tmp_path / "b", tiny_paths)


def test_without_devel_the_training_part_says_what_is_far():
    embeddings = np.random.default_rng(0).normal(size=(100, 16))
    own = describe(embeddings, 1.0, -30.0)
    assert (own.temperature, own.devel_to_train) == (1.0, 1.0)
    assert (own.distance(embeddings) <= own.farthest).all()
    assert (own.distance(3 * embeddings) > own.farthest).mean() > 0.9
