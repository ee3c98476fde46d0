import subprocess
import sys

import numpy as np
import pytest
import soundfile

import emojax


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
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        emojax.nonsense  # noqa: B018
