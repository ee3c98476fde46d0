"""Timelines of recordings."""

from itertools import pairwise

import numpy as np
import pytest
import soundfile

from emojax.audio import reading
from emojax.timeline.table import table
from emojax.timeline.timeline import make_timeline

RATE_HZ = 16_000
PITCHES_HZ = {"low": 200, "middle": 800, "high": 3000}


def tone(pitch_hz, duration_s):
    time_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).normal(0, 0.001, len(time_s))
    return 0.2 * np.sin(2 * np.pi * pitch_hz * time_s) + noise


def joined(*pieces):
    """Tones as (pitch in Hz, seconds); pitch 0 is a pause."""
    return np.concatenate([tone(*piece) if piece[0] else tone(0, piece[1]) for piece in pieces])


@pytest.fixture
def write(tmp_path):
    def write(*channels, name="call.wav"):
        longest = max(map(len, channels))
        padded = [np.pad(one, (0, longest - len(one))) for one in channels]
        soundfile.write(tmp_path / name, np.stack(padded, axis=1), RATE_HZ)
        return tmp_path / name

    return write


def test_each_stretch_has_its_segments_and_none_spans_a_pause(model, write, loud_is_speech):
    path = write(joined((0, 1), (200, 2), (0, 1), (3000, 4.2), (0, 0.7), (3000, 1), (0, 1)))
    timeline = make_timeline(model, path)
    spans = [(1, 3), (4, 8.2), (8.9, 9.9)]
    for segment in timeline.segments:
        inside = [a - 0.15 <= segment.start_s and segment.end_s <= b + 0.15 for a, b in spans]
        assert inside.count(True) == 1
    spoken_s = sum(segment.duration_s for segment in timeline.segments)
    assert spoken_s == pytest.approx(7.2, abs=3 * 0.25)
    assert timeline.duration_s == pytest.approx(10.9)
    assert all(one.end_s <= other.start_s for one, other in pairwise(timeline.segments))


def test_a_second_has_the_mean_of_the_windows_that_cover_it(model, write, loud_is_speech):
    samples = joined((200, 2.5), (3000, 2.5))
    [track] = make_timeline(model, write(samples)).tracks
    pcm = np.round(samples * 2**15).astype(np.int16)
    windows = [model.predict(pcm[s * RATE_HZ : (s + 3) * RATE_HZ], RATE_HZ) for s in range(3)]
    assert [one.start_s for one in track.seconds] == [0, 1, 2, 3, 4]
    covering = [windows[:1], windows[:2], windows, windows[1:], windows[2:]]
    for second, some in zip(track.seconds, covering, strict=True):
        mean = {label: np.mean([one[label] for one in some]) for label in model.labels}
        assert second.answer == pytest.approx(mean, abs=1e-4)


def test_seconds_of_one_label_are_one_segment_with_their_mean(make):
    timeline = make([(0, 1, "anger"), (1, 2, "anger"), (2, 3.5, "neutral"), (4, 5, "neutral")])
    assert [(one.start_s, one.end_s, one.answer.label) for one in timeline.segments] == [
        (0, 2, "anger"),
        (2, 3.5, "neutral"),
        (4, 5, "neutral"),
    ]
    assert timeline.segments[0].answer == pytest.approx({"anger": 0.8, "neutral": 0.2})


def test_channels_that_are_split_have_rows_of_their_own(model, write, loud_is_speech):
    first, second = joined((200, 2), (0, 3)), joined((0, 3), (3000, 2))
    timeline = make_timeline(model, write(first, second), channels="split")
    assert [one.channel for one in timeline.segments] == [1, 2]
    for track, alone in zip(timeline.tracks, (first, second), strict=True):
        [segment] = track.segments
        [expected] = make_timeline(model, write(alone, name="alone.wav")).segments
        assert segment.answer == expected.answer
        assert (segment.start_s, segment.end_s) == (expected.start_s, expected.end_s)


def test_a_silent_channel_has_no_rows(model, write, loud_is_speech):
    path = write(np.zeros(32_000), joined((200, 2)))
    assert {one.channel for one in make_timeline(model, path, channels="split").segments} == {2}


def test_a_recording_too_long_for_memory_is_read_in_blocks(
    model, write, loud_is_speech, monkeypatch
):
    path = write(joined((200, 5)))
    expected = make_timeline(model, path).segments
    monkeypatch.setattr(reading, "MAX_WHOLE_S", 1)
    assert make_timeline(model, path).segments == expected


def test_nobody_speaks_is_an_empty_timeline_and_a_line(model, write):
    path = write(joined((0, 3)))
    timeline = make_timeline(model, path)
    assert timeline.segments == []
    assert table(timeline) == f"{path}: no speech found in 00:00:03.0"


@pytest.mark.parametrize("channels", ["mix", "split"])
def test_what_cannot_be_used_is_one_clear_error(model, write, tmp_path, channels):
    path = write(np.zeros(16_000), np.zeros(16_000))
    with pytest.raises(ValueError, match=r"call\.wav: silent"):
        make_timeline(model, path, channels)
    with pytest.raises(ValueError, match=r"missing\.wav: no such file"):
        make_timeline(model, tmp_path / "missing.wav", channels)
    with pytest.raises(ValueError, match="channels='both'; give one of mix, split"):
        make_timeline(model, path, "both")


def test_the_table_names_channels_and_counts_warnings(make):
    text = table(make([(0, 1.5, "anger")], [(2, 3, "neutral")], warning="too short: 1 s\x1b[2J"))
    lines = text.splitlines()
    assert " ".join(lines[0].split()) == "start end channel label share arousal valence"
    assert lines[1].split()[:5] == ["00:00:00.0", "00:00:01.5", "1", "anger", "80%"]
    assert lines[3] == r"2 of 2 segments: too short: 1 s\x1b[2J"
