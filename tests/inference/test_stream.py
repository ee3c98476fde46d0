import numpy as np
import pytest

from emojax.audio.conversion import SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def speech():
    random = np.random.default_rng(0)
    return 0.1 * random.standard_normal(round(5.5 * SAMPLE_RATE_HZ)).astype(np.float32)


def spans(moments):
    return [(moment.start_s, moment.end_s) for moment in moments]


def test_answers_are_those_of_the_same_windows_however_samples_are_fed(model, speech):
    second = SAMPLE_RATE_HZ
    cuts = [speech[start * second : (start + 3) * second] for start in range(3)]
    offline = model.predict_windows([*cuts, speech[-3 * second :]])
    for size in (701, len(speech)):
        stream = model.stream(SAMPLE_RATE_HZ)
        moments = []
        for start in range(0, len(speech), size):
            moments += stream.feed(speech[start : start + size])
        moments += stream.finish()
        assert spans(moments) == [(0.0, 3.0), (1.0, 4.0), (2.0, 5.0), (2.5, 5.5)]
        for moment, answer in zip(moments, offline, strict=True):
            assert moment.answer == pytest.approx(answer, abs=1e-5)


def test_an_answer_comes_with_the_sample_that_completes_its_window(model, speech):
    stream = model.stream(SAMPLE_RATE_HZ)
    assert stream.feed(speech[: 3 * SAMPLE_RATE_HZ - 1]) == []
    assert spans(stream.feed(speech[3 * SAMPLE_RATE_HZ - 1 :][:1])) == [(0.0, 3.0)]
    assert stream.finish() == []


def test_four_seconds_are_held_of_a_long_recording(model, speech):
    stream = model.stream(SAMPLE_RATE_HZ)
    for _ in range(4):
        stream.feed(speech)
        assert len(stream._held) < 4 * SAMPLE_RATE_HZ


def test_a_short_recording_is_one_window_and_none_if_too_short(model, speech):
    stream = model.stream(SAMPLE_RATE_HZ)
    assert stream.feed(speech[:SAMPLE_RATE_HZ]) == []
    assert spans(stream.finish()) == [(0.0, 1.0)]
    stream = model.stream(SAMPLE_RATE_HZ)
    stream.feed(speech[:1000])
    assert stream.finish() == []


def test_other_rates_channels_and_integers_are_converted(model, speech):
    slow = speech[: 2 * SAMPLE_RATE_HZ][::2]
    stream = model.stream(SAMPLE_RATE_HZ // 2)
    stream.feed(np.stack([slow, slow], axis=1))
    [floats] = stream.finish()
    assert floats.end_s == pytest.approx(2.0, abs=1e-3)
    stream = model.stream(SAMPLE_RATE_HZ // 2)
    stream.feed(np.round(slow * 2**15).astype(np.int16))
    [integers] = stream.finish()
    assert integers.answer == pytest.approx(floats.answer, abs=1e-2)


def test_bad_samples_are_refused_and_leave_the_stream_as_it_was(model, speech):
    stream = model.stream(SAMPLE_RATE_HZ)
    stream.feed(speech[:SAMPLE_RATE_HZ])
    for bad, message in (
        (np.array([np.nan]), "1 of 1 samples are NaN"),
        (np.array(["a"]), "dtype <U1"),
        (np.full(10, 1e4), "divide what was int16"),
        (np.zeros((1, 2, 3)), "shape"),
    ):
        with pytest.raises(ValueError, match=message):
            stream.feed(bad)
    assert stream.feed([]) == []
    assert spans(stream.finish()) == [(0.0, 1.0)]
    with pytest.raises(ValueError, match="sample rate 0"):
        model.stream(0)
