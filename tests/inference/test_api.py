import copy
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

import emojax
from emojax.audio import reading
from emojax.inference.api import BadRecordingsError, Model
from emojax.inference.calibration import CALIBRATION_FILE, read_calibrations, tempered


@pytest.fixture
def clip(tiny_sources):
    return soundfile.read(next((tiny_sources / "tones").glob("*_high_*.wav")))


def test_probabilities_of_a_file_and_of_its_samples_agree(model, tiny_sources, clip):
    path = next((tiny_sources / "tones").glob("*_high_*.wav"))
    probabilities = model.predict(path)
    assert tuple(probabilities) == model.labels == ("high", "low", "middle")
    assert abs(sum(probabilities.values()) - 1) < 1e-5
    samples, sample_rate_hz = clip
    assert model.predict(str(path)) == pytest.approx(probabilities, abs=1e-5)
    assert model.predict(samples, sample_rate_hz) == pytest.approx(probabilities, abs=1e-5)


def test_another_rate_and_stereo_are_the_same_recording(model, tmp_path):
    time_s = np.arange(48_000) / 48_000
    tone = 0.3 * np.sin(2 * np.pi * 440 * time_s) * np.hanning(48_000)
    at_16k = 0.3 * np.sin(2 * np.pi * 440 * time_s[::3]) * np.hanning(48_000)[::3]
    stereo = model.predict(np.stack([tone, tone], axis=1), 48_000)
    assert stereo == pytest.approx(model.predict(at_16k, 16_000), abs=0.02)


def test_embedding_is_float32_of_eight_times_the_width(model, clip):
    embedding = model.embed(*clip)
    assert embedding.shape == (8 * 4,)
    assert embedding.dtype == np.float32
    np.testing.assert_array_equal(model.predict(*clip).embedding, embedding)


def test_bytes_and_open_files_are_files(model, tiny_sources):
    path = next((tiny_sources / "tones").glob("*_high_*.wav"))
    expected = model.predict(path)
    assert model.predict(path.read_bytes()) == expected
    with open(path, "rb") as file:
        assert model.predict(file) == expected
    with (
        open(path, encoding="latin-1") as file,
        pytest.raises(ValueError, match="open it in binary mode"),
    ):
        model.predict(file)


def test_what_is_too_long_for_memory_is_answered_in_windows(model, tmp_path, monkeypatch):
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000 * 37).astype(np.float32)
    soundfile.write(path := tmp_path / "long.wav", noise, 16_000, subtype="FLOAT")
    whole, embedding = model.predict(path), model.embed(path)
    monkeypatch.setattr(reading, "MAX_WHOLE_S", 20)
    assert model.predict(path) == pytest.approx(whole, abs=1e-5)
    assert model.embed(path) == pytest.approx(embedding, abs=1e-4)
    assert model.predict_many([path])[0] == pytest.approx(whole, abs=1e-5)


def test_a_bad_recording_loses_no_other(model, clip, tmp_path):
    bad = tmp_path / "bad.wav"
    bad.write_text("no audio")
    with pytest.raises(
        BadRecordingsError, match=r"2 of 3 recordings .*number 0: .*bad\.wav.*number 2: "
    ) as error:
        model.predict_many([bad, clip, np.zeros(16_000)])
    assert error.value.results == [None, model.predict(*clip), None]
    some = model.predict_many([bad, clip], return_errors=True)
    assert isinstance(some[0], ValueError)
    assert some[1] == model.predict(*clip)


@pytest.mark.parametrize("one", ["call.wav", bytearray(9), io.BytesIO(), np.ones(16_000)])
def test_one_recording_is_not_a_list(model, one):
    with pytest.raises(ValueError, match="give a list of recordings, or use predict") as error:
        model.predict_many(one)
    assert len(str(error.value)) < 100


def test_a_tuple_that_is_no_pair_is_named(model, clip):
    with pytest.raises(ValueError, match=r"number 1 is a tuple of 3; give samples as pairs"):
        model.predict_many([clip, (*clip, "calm")])
    assert model.predict_many(np.array([])) == []


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_samples_that_are_all_equal_are_refused_at_every_rate(model, rate_hz):
    with pytest.raises(ValueError, match="silent: all samples are equal"):
        model.predict(np.full(rate_hz, 0.25, np.float32), np.float32(rate_hz))


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_a_copy_answers_alike(model, clip, again):
    assert again(model).predict(*clip) == model.predict(*clip)


def test_answers_from_several_threads_are_right(model):
    random = np.random.default_rng(0)
    clips = [random.normal(0, 0.1, 5_000 * (1 + i)).astype(np.float32) for i in range(8)]
    alone = [model.predict(clip, 16_000) for clip in clips]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda clip: model.predict(clip, 16_000), clips)) == alone


def test_after_a_fork_the_error_is_immediate_and_clear(model, clip, monkeypatch):
    monkeypatch.setattr(
        os, "getpid", lambda: -1
    )  # what a child sees: another number than when it was loaded
    with pytest.raises(RuntimeError, match=r"forked.*get_context\(\"spawn\"\)"):
        model.predict(*clip)


def test_the_corpus_need_not_be_given_where_there_is_one(tiny_run):
    with pytest.raises(ValueError, match="give corpus=, one of tones, levels"):
        emojax.load(tiny_run)


def test_corpora_have_their_own_labels(tiny_run):
    assert emojax.load(tiny_run, corpus="levels").labels == ("loud", "soft")


def test_unknown_corpus_lists_the_choices(tiny_run):
    with pytest.raises(ValueError, match=r"unknown corpus 'emodb'.*tones, levels"):
        emojax.load(tiny_run, corpus="emodb")


def test_nothing_trained_says_how(tmp_path):
    with pytest.raises(ValueError, match=r"train\.py"):
        emojax.load(tmp_path, corpus="tones")


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros((2, 3, 4), np.float32), 16_000, "shape"),
        (np.full(16_000, np.nan, np.float32), 16_000, "finite|NaN"),
        (np.zeros(16_000, np.complex64), 16_000, "dtype|complex"),
        (np.ones(16_000, np.float32), 0, "rate"),
        (np.ones(16_000, np.float32), -8_000, "rate"),
        (np.ones(16_000, np.float32), None, "sample_rate_hz"),
        (np.linspace(-1, 1, 100), 16_000, r"0\.1 s|short"),
        ("no/such/file.wav", None, "no such file"),
        ("no/such/file.wav", 16_000, "leave it out"),
        (7, 16_000, "shape"),
    ],
)
def test_bad_input_is_one_clear_error(model, samples, rate, message):
    with pytest.raises(ValueError, match=message) as error:
        model.predict(samples, rate)
    assert "\n" not in str(error.value)


def test_log_mel_checks_its_input_too():
    assert emojax.log_mel(np.ones(16_000, np.float32)).shape == (63, 64)
    with pytest.raises(ValueError, match="shape"):
        emojax.log_mel(np.zeros((2, 3, 4), np.float32))


def test_importing_emojax_starts_nothing():
    script = "import sys, emojax; print({'jax', 'tensorflow', 'librosa'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        emojax.nonsense  # noqa: B018


def test_an_answer_is_a_calibrated_dict_with_a_label(tiny_run, model, clip):
    answer = model.predict(*clip)
    assert json.loads(json.dumps(answer)) == answer
    assert answer.label == max(answer, key=answer.get)
    assert answer.arousal is answer.valence is None  # "high", "low" and "middle" are no emotions
    temperature = read_calibrations(tiny_run)["tones"].temperature
    bare = Model("tones", model.labels, model._model, model._network).predict(*clip)
    assert bare.warning == ""
    own = tempered(np.array([*bare.values()]), temperature)
    assert [*answer.values()] == pytest.approx(own, abs=1e-5)
    again = pickle.loads(pickle.dumps(answer))
    assert (again, again.label, again.warning) == (answer, answer.label, answer.warning)


def test_labels_restrict_the_answer(model, clip):
    whole = model.predict(*clip)
    some = model.predict(*clip, labels=["middle", "high"])
    assert tuple(some) == ("middle", "high")
    both = whole["high"] + whole["middle"]
    assert some["high"] == pytest.approx(whole["high"] / both, abs=1e-5)
    assert model.predict_many([clip], labels=iter(["middle", "high"])) == [some]
    assert model.predict(*clip, labels=["low"]) == {"low": 1.0}


@pytest.mark.parametrize("labels", [["loud"], ["high", "high"], [], "high", 7, [["high"]]])
def test_labels_that_the_corpus_lacks_are_one_clear_error(model, clip, labels):
    for ask in (
        lambda: model.predict(*clip, labels=labels),
        lambda: model.predict_many([], labels=labels),
    ):
        with pytest.raises(
            ValueError, match=r"one or more of high, low, middle, each of them once"
        ):
            ask()


def test_what_is_unlike_training_is_said_however_long_it_is(model, clip):
    assert model.predict(*clip).warning == ""
    hiss = np.random.default_rng(0).normal(0, 0.1, 16_000 * 37)
    assert "unlike" in model.predict(hiss[:16_000], 16_000).warning
    assert "unlike" in model.predict(hiss, 16_000).warning  # in windows
    assert "too short" in model.predict(clip[0][:1600], 16_000).warning
    assert "nearly silent" in model.predict(clip[0] * 1e-4, 16_000).warning
    assert [bool(one.warning) for one in model.predict_many([(hiss, 16_000), clip])] == [
        True,
        False,
    ]


def test_a_run_without_a_calibration_answers_as_the_network_does(tiny_run, tmp_path, clip):
    shutil.copytree(tiny_run, tmp_path / "run")
    (tmp_path / "run" / CALIBRATION_FILE).unlink()
    old = emojax.load(tmp_path / "run", "tones")
    assert old.predict(np.random.default_rng(0).normal(0, 0.1, 16_000), 16_000).warning == ""
    assert old.predict(*clip).label == emojax.load(tiny_run, "tones").predict(*clip).label
