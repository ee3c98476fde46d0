import functools

import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest
import scipy.signal

from emojax.audio.augment import (
    DB,
    MASKS,
    add_noise,
    augment,
    change_tempo,
    colour,
    mask_bands,
    telephone_band,
    warp_frequency,
)
from emojax.audio.log_mel import frame_count, log_mel, standardise

DISTORTIONS = {"frequency_warp": 0.12, "tempo": 0.15, "colour_db": 6.0, "noise_share": 0.1}
EVERYTHING = {**DISTORTIONS, "telephone": 0.5, "masked_mels": 8.0, "masked_share": 0.2}
LENGTHS = np.array([16_000, 10_000, 1, 0], np.int32)


def log_mels(samples=16_000):
    """Log-mel and frames of clips of noise, one of a single frame and a filler row."""
    audio = np.random.default_rng(0).normal(0, 0.1, (4, 16_000)).astype(np.float32)
    audio = np.where(np.arange(16_000) < LENGTHS[:, None], audio, 0)
    audio = np.pad(audio, ((0, 0), (0, samples - 16_000)))
    return log_mel(jnp.array(audio)), frame_count(jnp.array(LENGTHS))


@functools.cache
def jitted(*settings):
    return jax.jit(functools.partial(augment, **dict(settings)))


def augmented(mel, frames, number=0, **settings):
    augmented = jitted(*settings.items())(mel, frames, jax.random.key(number))
    return jax.tree.map(np.asarray, augmented)


def test_without_augmentation_a_clip_is_standardised():
    mel, frames = log_mels()
    same, same_frames = augmented(mel, frames)
    np.testing.assert_array_equal(same, jax.jit(standardise)(mel, frames))
    np.testing.assert_array_equal(same_frames, frames)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_each_distortion_is_another_one_for_each_clip_and_key(name):
    settings = {name: DISTORTIONS[name]}
    mel, frames = jnp.repeat(log_mels()[0][:1], 2, axis=0), jnp.array([50, 50])
    (first, second), _ = augmented(mel, frames, **settings)
    (plain, _), _ = augmented(mel, frames)
    (other, _), _ = augmented(mel, frames, number=1, **settings)
    assert all((first != one).any() for one in (second, plain, other))


def test_padding_stays_zero_filler_rows_stay_filler_and_a_frame_remains():
    for number in range(10):
        mel, frames = augmented(*log_mels(), number=number, **EVERYTHING)
        assert np.isfinite(mel).all()
        assert not mel[np.arange(mel.shape[1]) >= frames[:, None]].any()
        assert frames[2:].tolist() == [1, 0]
        assert 0.85 * 40 - 1 <= frames[1] <= 1.15 * 40 + 1
        assert frames[0] <= mel.shape[1]


def test_what_lies_in_the_padding_changes_nothing():
    mel, frames = log_mels()
    valid = (jnp.arange(mel.shape[1]) < frames[:, None])[:, :, None]
    expected = augmented(mel, frames, **EVERYTHING)
    given = augmented(jnp.where(valid, mel, 5.0), frames, **EVERYTHING)
    for one, other in zip(given, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_length_of_the_padding_changes_nothing_that_is_not_cut():
    settings = {**EVERYTHING, "tempo": 0.0}
    mel, frames = augmented(*log_mels(), **settings)
    longer, same = augmented(*log_mels(24_000), **settings)
    np.testing.assert_array_equal(same, frames)
    np.testing.assert_allclose(longer[:, : mel.shape[1]], mel, atol=1e-4)


def test_corpora_side_by_side_are_augmented_as_each_by_itself():
    mel, frames = log_mels()
    mels, keys = jnp.stack([mel, mel[::-1]]), jax.random.split(jax.random.key(0), 2)
    side_by_side = jax.jit(jax.vmap(functools.partial(augment, **EVERYTHING)))
    both = side_by_side(mels, jnp.stack([frames, frames[::-1]]), keys)
    alone = jitted(*EVERYTHING.items())(mel[::-1], frames[::-1], keys[1])
    for one, other in zip(both, alone, strict=True):
        np.testing.assert_allclose(one[1], other, atol=1e-4)


@pytest.mark.parametrize("factor", [0.88, 1.12])
def test_a_warped_tone_is_a_tone_of_its_frequency_over_the_factor(factor):
    def peak_hz(mel):
        centres_hz = librosa.mel_frequencies(66, fmin=0, fmax=8_000)[1:-1]
        return centres_hz[np.asarray(mel).mean(0).argmax()]

    tone_hz = 2_000
    mel = log_mel(jnp.sin(2 * jnp.pi * tone_hz * jnp.arange(16_000) / 16_000))
    half_a_channel = 0.04  # channels lie 7 % apart
    np.testing.assert_allclose(peak_hz(mel), tone_hz, rtol=half_a_channel)
    warped = warp_frequency(mel, factor)
    np.testing.assert_allclose(peak_hz(warped), tone_hz / factor, rtol=half_a_channel)


def test_a_warp_interpolates_between_channels_and_repeats_the_last_one():
    mel = np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)
    centres_hz = librosa.mel_frequencies(66, fmin=0, fmax=8_000)[1:-1]
    np.testing.assert_array_equal(warp_frequency(jnp.array(mel), 1.0), mel)
    warped = np.asarray(warp_frequency(jnp.array(mel), 1.1))
    below, above = centres_hz[40:42]
    read = np.interp(1.1 * centres_hz[39], centres_hz, np.arange(64))
    assert below < 1.1 * centres_hz[39] < above
    expected = np.interp(read, np.arange(64), mel[0])
    np.testing.assert_allclose(warped[0, 39], expected, rtol=1e-3)
    np.testing.assert_array_equal(warped[:, -1], mel[:, -1])


@pytest.mark.parametrize(
    ("frames", "factor", "expected"),
    [(40, 0.85, 34), (40, 1.15, 46), (50, 1.15, 50), (1, 0.85, 1), (0, 1.15, 0), (40, 1.0, 40)],
)
def test_a_tempo_scales_the_duration_within_the_frames_there_are(frames, factor, expected):
    ramp = np.where(np.arange(50) < frames, np.arange(50.0), 99.0)
    mel, changed = change_tempo(
        jnp.array(ramp, jnp.float32)[:, None], jnp.array(frames, jnp.int32), factor
    )
    assert (int(changed), changed.dtype, mel.shape) == (expected, jnp.int32, (50, 1))
    read = np.minimum(np.arange(expected) / factor, frames - 1)
    np.testing.assert_allclose(mel[:expected, 0], read, rtol=1e-5)


def test_colour_is_a_smooth_curve_within_its_limit_that_changes_no_level():
    curves = np.array([colour(jax.random.key(number), 64) for number in range(20)])
    assert 0.5 < np.abs(curves).max() <= 1
    np.testing.assert_allclose(curves.mean(1), 0, atol=1e-6)
    assert np.abs(np.diff(curves)).max() < 0.2


def test_a_clip_has_one_colour_in_all_its_frames():
    mel = jnp.zeros((2, 63, 64)).at[:, :, 0].set(jnp.linspace(0, 2, 63))
    coloured, _ = augmented(mel, jnp.array([63, 63]), colour_db=6.0)
    first, second = coloured[:, :, 1:]
    np.testing.assert_allclose(first, np.tile(first[:1], (63, 1)), atol=1e-6)
    assert np.ptp(first[0]) > 0
    assert np.abs(first - second).max() > 0.1


def test_noise_keeps_to_its_share_and_never_takes_power_away():
    mel, frames = jnp.zeros((63, 64)), jnp.array(40)
    shares = []
    for number in range(20):
        noisy = add_noise(mel, frames, jax.random.key(number), 0.1)
        assert (noisy >= mel).all()
        shares.append(float(jnp.mean(jnp.exp(noisy) - 1)))
    assert 0.01 < max(shares) < 0.1 * 10**0.5  # a tilt of 10 dB adds some at one end
    assert min(shares) < 1e-3


def test_a_telephone_is_the_filter_that_it_names():
    random = np.random.default_rng(0)
    audio = random.normal(0, 0.1, 160_000)
    hz = np.fft.rfftfreq(len(audio), 1 / 16_000)
    filters = [(2, 300, "highpass"), (10, 3_400, "lowpass")]
    low, high = (
        scipy.signal.freqs(*scipy.signal.butter(*one, analog=True), worN=hz)[1] for one in filters
    )
    heard = np.fft.irfft(np.fft.rfft(audio) * low * high)
    before, after = (
        np.log(np.mean(np.exp(log_mel(jnp.array(one, jnp.float32))), axis=0))
        for one in (audio, heard)
    )
    inside = slice(4, 55)  # beyond it a channel's neighbours are louder than itself
    response = telephone_band(64)
    np.testing.assert_allclose((after - before)[inside], response[inside], atol=3 * DB)
    assert response.max() <= 0
    assert (response[12:38] > -DB).all()


def test_the_share_of_clips_is_heard_through_a_telephone_and_all_others_as_they_are():
    mel = jnp.tile(log_mels()[0][:1], (200, 1, 1))
    frames = jnp.full(200, mel.shape[1])
    heard, _ = augmented(mel, frames, telephone=0.25)
    plain, _ = augmented(mel, frames)
    through = (np.abs(heard - plain) > 1e-3).any((1, 2))
    assert 0.15 < through.mean() < 0.35
    np.testing.assert_array_equal(heard[~through], plain[~through])


def hidden(widest_mels, longest_share, frames=(63, 20, 0), number=0):
    """What becomes 0 of a batch of ones, bool [B, F, M]."""
    mel = jnp.ones((len(frames), 63, 64))
    masked = mask_bands(mel, jnp.array(frames), jax.random.key(number), widest_mels, longest_share)
    return np.asarray(masked) == 0


def test_nothing_is_hidden_unless_asked_for():
    assert not hidden(0, 0).any()


def test_bands_go_through_all_frames_and_keep_to_their_limit():
    for number in range(20):
        band = hidden(8, 0, number=number)
        assert (band == band[:, :1]).all()
        assert band[:, 0].sum(1).max() <= MASKS * 9  # a band of up to 8 channels touches 9 at most
    assert band.any()


def test_stretches_lie_within_the_clip_and_keep_to_their_limit():
    for number in range(20):
        stretch = hidden(0, 0.1, number=number)
        assert (stretch == stretch[..., :1]).all()
        assert stretch[1, :, 0].sum() <= MASKS * 3
        assert not stretch[1, 20:].any()
    assert hidden(0, 0.5)[0].any()


def test_clips_and_keys_differ():
    first, second = hidden(16, 0.3, frames=(63, 63))
    assert (first != second).any()
    assert (hidden(16, 0.3) != hidden(16, 0.3, number=1)).any()
