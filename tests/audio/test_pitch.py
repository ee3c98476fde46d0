"""Pitch and voicing: those of a voice that is known, of librosa, and of nothing around a clip."""

import functools

import jax
import jax.numpy as jnp
import librosa
import numpy as np
import pytest

from emojax.audio.log_mel import HOP_SAMPLES, frame_count
from emojax.audio.pitch import QUIET, pitch, standardise_pitch
from emojax.audio.reading import read_audio

RATE_HZ = 16_000
TIME_S = np.arange(RATE_HZ) / RATE_HZ
PITCHES_HZ = {
    "low glide": 65 * 2**TIME_S,
    "high glide": 480 / 2**TIME_S,
    "vibrato": 220 * (1 + 0.05 * np.sin(2 * np.pi * 5 * TIME_S)),
}
estimate = jax.jit(pitch)


def voice(pitch_hz, noise_db=-40.0, harmonics=10):
    """A voice of harmonics that fall by 6 dB an octave, and white noise."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    tone = sum(np.sin(number * phase) / number for number in range(1, harmonics + 1))
    noise = np.random.default_rng(0).normal(0, 10 ** (noise_db / 20), len(tone))
    return (0.1 * (tone / tone.std() + noise)).astype(np.float32)


def tracks(samples):
    """Pitch in Hz and voicing of a clip, by frame."""
    found = estimate(jnp.asarray(samples)[None], jnp.array([frame_count(len(samples))]))[0]
    return 2.0 ** np.asarray(found[:, 0]), np.asarray(found[:, 1])


def cents(found_hz, wanted_hz):
    return 1200 * np.abs(np.log2(found_hz / wanted_hz))


@pytest.mark.parametrize("name", PITCHES_HZ)
@pytest.mark.parametrize(("noise_db", "precise"), [(-40, 5), (-10, 10), (0, 40)])
def test_a_moving_voice_is_followed_in_noise(name, noise_db, precise):
    found_hz, strength = tracks(voice(PITCHES_HZ[name], noise_db))
    wanted_hz = np.interp(np.arange(63) * HOP_SAMPLES, np.arange(RATE_HZ), PITCHES_HZ[name])
    inside = slice(3, -3)  # frames that the clip fills
    assert np.quantile(cents(found_hz, wanted_hz)[inside], 0.95) < precise
    assert strength[inside].min() > 0.6


@pytest.mark.parametrize("name", PITCHES_HZ)
def test_a_voice_has_the_pitch_that_librosa_finds(name):
    samples = voice(PITCHES_HZ[name], noise_db=-20)
    theirs_hz = librosa.yin(
        samples, fmin=55, fmax=520, sr=RATE_HZ, frame_length=1024, hop_length=HOP_SAMPLES
    )
    assert np.median(cents(tracks(samples)[0], theirs_hz)[3:-3]) < 15


# Of CASIA, librosa calls a hum at -40 dB voiced and loud anger not.
@pytest.mark.parametrize("corpus", ["emodb", "emovo"])
def test_a_real_clip_is_voiced_as_librosa_says(corpora_dir, corpus):
    agreed, off = [], []
    for path in sorted((corpora_dir / corpus).rglob("*.wav"))[5::400]:
        samples = read_audio(path)
        theirs_hz, voiced, _ = librosa.pyin(
            samples, fmin=60, fmax=500, sr=RATE_HZ, frame_length=1024, hop_length=HOP_SAMPLES
        )
        found_hz, strength = tracks(samples)
        both = voiced & (strength > 0.5)
        agreed += [*(voiced == (strength > 0.5))]
        off += [*cents(found_hz[both], theirs_hz[both])]
    assert np.mean(agreed) > 0.75
    assert np.median(off) < 35


def test_noise_silence_and_a_hum_far_below_the_voice_are_not_voiced():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE_HZ).astype(np.float32)
    assert tracks(noise)[1].max() < 0.5
    assert not tracks(np.zeros(8_000, np.float32))[1].any()
    speaking = TIME_S < 0.5
    hum = 0.001 * np.sin(2 * np.pi * 100 * TIME_S)
    strength = tracks((voice(0 * TIME_S + 150, -90) * speaking + hum).astype(np.float32))[1]
    assert strength[3:28].min() > 0.9
    power = 0.5 * 0.001**2 / 0.1**2  # 43 dB below the voice
    np.testing.assert_allclose(strength[36:-3], power / (power + QUIET), rtol=0.05)


def test_neither_padding_nor_neighbours_nor_the_level_change_an_answer():
    clips = [voice(PITCHES_HZ["vibrato"])[:length] for length in (12_000, 5_001, 255)]
    batch = np.zeros((4, 20_000), np.float32)
    batch[3] = 0.9
    for row, clip in zip(batch, clips, strict=False):
        row[: len(clip)] = 0.01 * clip
    length = jnp.array([*map(len, clips), 0])
    together = standardise_pitch(
        estimate(jnp.array(batch), frame_count(length)), frame_count(length)
    )
    assert np.isfinite(together).all()
    for row, clip in zip(together, clips, strict=False):
        frames = jnp.array([frame_count(len(clip))])
        alone = standardise_pitch(estimate(jnp.asarray(clip)[None], frames), frames)[0]
        np.testing.assert_allclose(row[: len(alone)], alone, atol=2e-3)
        assert not row[len(alone) :].any()
    assert not together[3].any()


@functools.cache
def standardised(octaves, strength):
    raw = jnp.stack([jnp.array([octaves]), jnp.array([strength])], axis=-1)
    return np.asarray(standardise_pitch(raw, jnp.array([len(octaves) - 1])))[0]


def test_pitch_is_relative_to_the_median_of_what_is_voiced_in_steps_of_three_semitones():
    found = standardised((7.0, 8.0, 7.5, 6.0, 7.25, 9.0), (1.0, 0.9, 1.0, 0.2, 1.0, 1.0))
    # The fourth frame is not voiced, and the last one is padding.
    np.testing.assert_allclose(found[:, 0], [-1, 3, 1, 0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(found[:, 1], [1, 0.9, 1, 0.2, 1, 0], atol=1e-6)


def test_where_nothing_is_voiced_there_is_no_pitch():
    assert not standardised((7.0, 8.0, 9.0), (0.1, 0.3, 0.0))[:, 0].any()
