import jax
import jax.numpy as jnp
import librosa
import matplotlib
import numpy as np
import pytest

from emojax.baselines import mel_plot as module

mel_plot = jax.jit(module.mel_plot)


@pytest.fixture
def rising():
    """Noise with a tone that rises from 0.3 to 6 kHz, float32 [30000]."""
    pitch_hz = np.geomspace(300, 6000, 30_000)
    tone = np.sin(2 * np.pi * np.cumsum(pitch_hz) / 16_000)
    return (0.3 * tone + np.random.default_rng(0).normal(0, 0.01, 30_000)).astype(np.float32)


def test_it_is_the_plot_of_librosa_and_matplotlib(rising):
    spectrogram = np.abs(librosa.stft(rising, n_fft=512, hop_length=256, center=False)) ** 2
    mel = librosa.feature.melspectrogram(S=spectrogram, sr=16_000, n_mels=128)
    decibels = librosa.power_to_db(mel, ref=np.max, top_db=None)
    normed = matplotlib.colors.Normalize()(decibels)
    plot = matplotlib.colormaps["magma"](normed)[::-1, :, :3]
    expected = 255 * jax.image.resize(plot, (224, 224, 3), "linear")
    found = mel_plot(jnp.asarray(rising), jnp.array(len(rising)))
    # A shade between two colours may fall to either.
    np.testing.assert_allclose(found, expected, atol=4)
    assert np.abs(found - expected).mean() < 0.01


def test_padding_never_shows(rising):
    alone = mel_plot(jnp.asarray(rising), jnp.array(30_000))
    padded = mel_plot(jnp.pad(jnp.asarray(rising), (0, 50_000)), jnp.array(30_000))
    np.testing.assert_allclose(padded, alone, atol=0.05)


def test_time_goes_to_the_right_and_pitch_goes_up(rising):
    # Red of magma grows with level.
    highest = np.asarray(mel_plot(jnp.asarray(rising), jnp.array(30_000)))[:, :, 0].argmax(axis=0)
    assert highest[5] > 170
    assert highest[-5] < 40
    assert np.corrcoef(highest, np.arange(224))[0, 1] < -0.95


@pytest.mark.parametrize("length", [0, 1, 600])
def test_the_shortest_clips_and_filler_rows_are_finite(length):
    picture = mel_plot(jnp.zeros(16_000).at[:length].set(0.1), jnp.array(length))
    assert np.isfinite(picture).all()
