import librosa
import numpy as np
import pytest

from emojax.audio.mel_scale import mel_edges_hz, mel_filters


@pytest.mark.parametrize("mels", [40, 64, 128])
def test_filters_are_those_of_librosa(mels):
    expected = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=mels).T
    np.testing.assert_allclose(mel_filters(mels, 512, 16_000), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("highest_hz", [800, 8_000])
def test_edges_are_those_of_librosa(highest_hz):
    expected = librosa.mel_frequencies(66, fmax=highest_hz)
    np.testing.assert_allclose(mel_edges_hz(64, highest_hz), expected, rtol=1e-9)
