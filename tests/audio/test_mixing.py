"""Channels that cancel are not mixed, and no peak is cut off."""

import numpy as np
import pytest
import soundfile

from emojax.audio.reading import (
    Silent,
    count_channels,
    read_audio,
    read_blocks,
    survey,
    to_mono_16khz,
)

RATE_HZ = 16_000
VOICE = np.random.default_rng(0).normal(0, 0.1, (2, 5 * RATE_HZ)).astype(np.float32)
X, Y = VOICE


def from_file(tmp_path, channels, rate_hz=RATE_HZ):
    soundfile.write(tmp_path / "a.wav", channels, rate_hz, subtype="FLOAT")
    return read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ((X, -X), X),
        ((0.9 * X, -X), -X),
        ((X, 0.01 * Y - 0.98 * X), X),
        ((X + 0.2, -X + 0.2), X + 0.2),
        ((X, Y), (X + Y) / 2),
        ((X, 0 * X), X / 2),
        ((X, -0.5 * X), X / 4),
        ((X, *[0 * X] * 15), X / 16),
        ((X, -X, Y), Y / 3),
    ],
)
def test_the_loudest_channel_stands_for_channels_that_cancel(tmp_path, channels, expected):
    samples = np.stack(channels, axis=1)
    for mono in (to_mono_16khz(samples, RATE_HZ), from_file(tmp_path, samples)):
        np.testing.assert_allclose(mono, expected, atol=2e-6)


def test_channels_that_cancel_for_a_while_only_are_mixed(tmp_path):
    samples = np.stack([X, np.where(np.arange(len(X)) < 2 * RATE_HZ, -X, Y)], axis=1)
    np.testing.assert_allclose(from_file(tmp_path, samples), samples.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("rate_hz", [16_000, 44_100])
def test_a_peak_above_full_scale_scales_the_recording(tmp_path, rate_hz):
    loud = np.sin(np.arange(rate_hz) * 0.05).astype(np.float32)
    for mono in (to_mono_16khz(1.5 * loud, rate_hz), from_file(tmp_path, 1.5 * loud, rate_hz)):
        quiet = to_mono_16khz(0.5 * loud, rate_hz)
        np.testing.assert_allclose(mono, quiet / np.abs(quiet).max(), atol=1e-5)


def test_a_full_scale_square_wave_stays_as_it_rings_after_resampling():
    square = np.sign(np.sin(np.arange(48_000) * 0.02)).astype(np.float32)
    mono = to_mono_16khz(square, 48_000)
    assert np.abs(mono).max() == 1
    assert np.count_nonzero(np.abs(mono) == 1) < 100


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
@pytest.mark.parametrize("channels", [(X, Y), (X, -X), (2 * X / X.max(), 2 * X / X.max())])
def test_blocks_joined_are_the_whole_recording(tmp_path, channels, rate_hz):
    whole = from_file(tmp_path, np.stack(channels, axis=1), rate_hz)
    blocks = list(read_blocks(tmp_path / "a.wav"))
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_a_channel_is_read_by_itself_as_often_as_one_likes(tmp_path, rate_hz):
    from_file(tmp_path, np.stack([X, 3 * Y / Y.max()], axis=1), rate_hz)
    assert count_channels(tmp_path / "a.wav") == 2
    recording = survey(tmp_path / "a.wav", channel=1)
    expected = to_mono_16khz(3 * Y / Y.max(), rate_hz)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(recording.blocks())), expected)
    assert recording.samples == len(expected)


def test_a_silent_channel_is_told_from_other_faults(tmp_path):
    from_file(tmp_path, np.stack([X, 0 * Y], axis=1))
    with pytest.raises(Silent):
        survey(tmp_path / "a.wav", channel=1)
