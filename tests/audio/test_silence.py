"""Silence is cut off both ends, and nothing else; crops are successive frames."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.audio.front_end import columns
from emojax.audio.log_mel import frame_count
from emojax.audio.silence import MARGIN_FRAMES, crop, trim


def voice(samples):
    time_s = np.arange(samples) / 16_000
    return 0.05 * sum(np.sin(2 * np.pi * 150 * number * time_s) for number in range(1, 20))


def heard(audio, padded=0, pitch=False):
    """Columns of a batch of this recording and a filler row."""
    rows = np.zeros((2, len(audio) + padded), np.float32)
    rows[0, : len(audio)] = audio
    return columns(jnp.array(rows), jnp.array([len(audio), 0]), pitch)


def with_silence(audio, before, after, noise=1e-4):
    around = np.pad(audio, (before, after))
    return around + noise * np.random.default_rng(1).normal(size=len(around))


@pytest.mark.parametrize("pitch", [False, True])
def test_what_lies_between_silence_is_moved_to_the_start(pitch):
    mel, frames = heard(with_silence(voice(16_000), 20 * 256, 9_000), pitch=pitch)
    cut, kept = trim(mel, frames, 25)
    assert int(kept[0]) == pytest.approx(int(frame_count(16_000)) + 2 * MARGIN_FRAMES, abs=4)
    first = 20 - MARGIN_FRAMES
    nearest = min(
        np.abs(np.asarray(cut[0, : kept[0]] - mel[0, start : start + kept[0]])).max()
        for start in range(first - 2, first + 3)
    )
    assert nearest == 0


def test_neither_padding_nor_level_changes_the_frames():
    audio = with_silence(voice(8_000), 6_000, 6_000)
    mel, frames = trim(*heard(audio), 25)
    padded, kept = trim(*heard(audio, padded=7_000), 25)
    assert kept.tolist() == frames.tolist()
    np.testing.assert_allclose(padded[0, : kept[0]], mel[0, : kept[0]], atol=1e-4)
    assert trim(*heard(audio / 8), 25)[1].tolist() == frames.tolist()


@pytest.mark.parametrize(
    "audio",
    [
        voice(9_000),
        with_silence(voice(6_000), 4_000, 4_000, noise=0.1),  # the noise is no silence
        np.zeros(5_000),
        np.random.default_rng(0).normal(size=1_700),
    ],
)
def test_a_recording_without_silence_at_its_ends_stays_whole(audio):
    mel, frames = heard(audio)
    cut, kept = trim(mel, frames, 25)
    assert kept.tolist() == frames.tolist()
    np.testing.assert_array_equal(cut[0], mel[0])


def test_pauses_inside_stay():
    audio = np.concatenate([voice(5_000), np.zeros(8_000), voice(5_000)])
    assert trim(*heard(audio), 25)[1].tolist() == heard(audio)[1].tolist()


def test_a_loud_click_cuts_off_no_speech():
    audio = with_silence(voice(32_000), 0, 0)
    audio[:800] *= 30  # 50 ms that are 30 dB louder
    assert trim(*heard(audio), 25)[1].tolist() == heard(audio)[1].tolist()


def test_filler_rows_stay_empty_and_finite():
    cut, kept = trim(*heard(voice(5_000)), 25)
    assert kept[1] == 0
    assert np.isfinite(cut).all()


def test_a_crop_has_successive_frames_from_anywhere_in_the_recording():
    frames = jnp.array([30, 7, 0])
    rows = jnp.broadcast_to(jnp.arange(40.0)[None, :, None], (3, 40, 64))
    starts = set()
    for number in range(60):
        cut, kept = crop(rows, frames, 10, jax.random.key(number))
        assert kept.tolist() == [10, 7, 0]
        np.testing.assert_array_equal(np.diff(cut[0, :, 0]), 1)
        np.testing.assert_array_equal(cut[1, :7, 0], np.arange(7))
        starts.add(int(cut[0, 0, 0]))
    assert {0, 20} <= starts <= {*range(21)}
