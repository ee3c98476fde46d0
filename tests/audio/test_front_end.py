"""Columns of the front-end: the pitch stands behind the mels, and each is treated as what it is."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.audio import log_mel
from emojax.audio.augment import augment
from emojax.audio.front_end import as_image, columns, standardise
from emojax.audio.log_mel import MELS, frame_count
from emojax.audio.pitch import pitch

LENGTH = jnp.array([16_000, 9_000, 0])


@pytest.fixture(scope="module")
def audio():
    """A buzz of 150 Hz, a noise and a filler row."""
    time_s = np.arange(16_000) / 16_000
    buzz = 0.1 * np.sign(np.sin(2 * np.pi * 150 * time_s))
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000)
    both = np.stack([buzz, noise, 0 * noise]) * (np.arange(16_000) < np.asarray(LENGTH)[:, None])
    return jnp.array(both, jnp.float32)


def test_without_pitch_the_columns_are_the_mels(audio):
    of_frames, frames = columns(audio, LENGTH, False)
    np.testing.assert_array_equal(of_frames, log_mel.log_mel(audio))
    np.testing.assert_array_equal(frames, frame_count(LENGTH))
    standard = standardise(of_frames, frames)
    np.testing.assert_array_equal(standard, log_mel.standardise(of_frames, frames))
    np.testing.assert_array_equal(as_image(standard)[..., 0], standard)


def test_with_pitch_the_mels_stay_and_the_pitch_is_equal_for_all_of_them(audio):
    of_frames, frames = columns(audio, LENGTH, True)
    np.testing.assert_allclose(of_frames[..., MELS:], pitch(audio, frames), rtol=1e-6)
    image = np.asarray(as_image(standardise(of_frames, frames)))
    assert image.shape == (3, 63, MELS, 3)
    plain = log_mel.standardise(log_mel.log_mel(audio), frames)
    np.testing.assert_allclose(image[..., 0], plain, atol=1e-5)
    assert (image[..., 1:] == image[:, :, :1, 1:]).all()
    assert image[0, 5:-5, 0, 2].min() > 0.9
    assert not image[1, 36:].any()


@functools.cache
def jitted(*settings):
    return jax.jit(functools.partial(augment, **dict(settings)))


def test_distortions_of_the_spectrum_leave_the_pitch_and_masks_hide_whole_frames(audio):
    of_frames, frames = columns(audio, LENGTH, True)
    plain = np.asarray(standardise(of_frames, frames))
    spectral = {"frequency_warp": 0.1, "colour_db": 6.0, "noise_share": 0.1, "telephone": 0.9}
    heard, _ = jitted(*spectral.items(), ("masked_mels", 8.0))(of_frames, frames, jax.random.key(0))
    np.testing.assert_allclose(heard[..., MELS:], plain[..., MELS:], atol=1e-5)
    assert np.abs(heard - plain)[..., :MELS].max() > 0.1
    masked, _ = jitted(("masked_share", 0.3))(of_frames, frames, jax.random.key(0))
    hidden = np.asarray((masked == 0).all(-1) & (plain != 0).any(-1))
    assert hidden.any()
    np.testing.assert_allclose(masked[~hidden], plain[~hidden], atol=1e-5)


def test_the_pitch_follows_the_tempo():
    length = jnp.array([16_000])
    voiced = np.sign(np.sin(2 * np.pi * 150 * np.arange(8_000) / 16_000))
    audio = jnp.array(np.concatenate([0.1 * voiced, np.zeros(8_000)])[None], jnp.float32)
    of_frames, frames = columns(audio, length, True)
    for number in range(3):
        heard, longer = jitted(("tempo", 0.3))(of_frames, frames, jax.random.key(number))
        share = float((heard[0, :, MELS + 1] > 0.5).sum() / longer[0])
        assert share == pytest.approx(0.5, abs=0.05) or int(longer[0]) == heard.shape[1]
