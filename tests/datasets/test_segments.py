"""Tables with times: what is cut out of a recording, and what is refused."""

import re

import numpy as np
import pytest
import soundfile

import datasets.sources
from datasets import CorpusError, prepare
from datasets.base import read_skipped
from emojax.audio.reading import read_audio, to_pcm16
from emojax.corpora.spec import read_clips
from emojax.data.prepared import load_recordings, open_corpus

RATE_HZ = 16_000


@pytest.fixture
def root(tmp_path):
    """Two recordings of 4 s, of which no two moments are alike."""
    root = tmp_path / "calls"
    root.mkdir()
    for number in range(2):
        noise = np.random.default_rng(number).uniform(-0.5, 0.5, 4 * RATE_HZ)
        soundfile.write(root / f"{number}.wav", noise, RATE_HZ)
    return root


@pytest.fixture
def prepared(root, tmp_path, write_csv):
    """Prepare a table of the calls, and return the folder."""

    def prepare_table(*rows, **kwargs):
        table = write_csv(root / "labels.csv", *rows)
        return prepare(f"calls={table}", "", tmp_path / "data", **kwargs)["calls"]

    return prepare_table


def spans(folder):
    """Return file, first and last sample of every clip of a prepared corpus."""
    corpus = open_corpus(folder)
    recordings = load_recordings(corpus, np.arange(len(corpus.clips)))
    found = []
    for clip, samples in zip(corpus.clips, recordings.samples, strict=True):
        file = clip.file.partition("#")[0]
        whole = to_pcm16(read_audio(folder.parents[3] / "calls" / file))
        first = next(
            i
            for i in range(0, len(whole), 16)
            if np.array_equal(whole[i:][: len(samples)], samples)
        )
        found.append((file, first / RATE_HZ, (first + len(samples)) / RATE_HZ))
    return found


HEADERS = [
    (("start", "end"), ("0.5", "1.25")),
    (("start", "end"), ("0 days 00:00:00.500000", "0 days 00:00:01.250000")),
    (("start_time", "end_time"), ("00:00:00.5", "0:01.25")),
    (("Begin", "Stop"), (".5", "1.25 s")),
    (("onset", "offset"), ("0.5", "1.25")),
    (("offset", "duration"), ("0.5", "0.75")),
    (("start_ms", "end_ms"), ("500", "1250")),
    (("start (ms)", "duration [s]"), ("500", "0.75")),
    (("Start Time (s)", "End Time (s)"), ("5e-1", "1250ms")),
]


@pytest.mark.parametrize(("header", "cells"), HEADERS)
def test_a_segment_is_cut_out_at_its_times_however_they_are_written(prepared, header, cells):
    rows = [("0.wav", *cells, "joy"), ("1.wav", *cells, "calm")]
    folder = prepared(("file", *header, "label"), *rows)
    assert spans(folder) == [("0.wav", 0.5, 1.25), ("1.wav", 0.5, 1.25)]
    clips = read_clips(folder / "clips.csv")
    assert [clip.file for clip in clips] == ["0.wav#t=0.5,1.25", "1.wav#t=0.5,1.25"]
    assert [clip.duration_s for clip in clips] == [0.75, 0.75]


@pytest.mark.parametrize("end", ["", "NaT", "nan"])
def test_a_missing_end_is_the_end_of_the_file(prepared, end):
    folder = prepared(
        ("file", "start", "end", "label"), ("0.wav", 3, end, "joy"), ("1.wav", 0, end, "calm")
    )
    assert spans(folder) == [("0.wav", 3, 4), ("1.wav", 0, 4)]
    assert [clip.file for clip in read_clips(folder / "clips.csv")] == ["0.wav#t=3", "1.wav"]


def test_a_recording_is_decoded_once_and_its_segments_come_together(prepared, monkeypatch):
    decoded = []

    def counting(path):
        decoded.append(path.name)
        return read_audio(path)

    monkeypatch.setattr(datasets.sources, "read_audio", counting)
    rows = [(f"{i % 2}.wav", i / 4, i / 4 + 1, "joy" if i % 3 else "calm") for i in range(12)]
    folder = prepared(("file", "start", "end", "label"), *rows)
    assert sorted(decoded) == ["0.wav", "1.wav"]
    assert spans(folder) == sorted((file, start, end) for file, start, end, _ in rows)


GOOD = [("0.wav", i / 10, i / 10 + 1, "joy" if i % 2 else "calm") for i in range(30)]


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (2, 1, "segment from 2 s to 1 s: give a start before the end"),
        (1, 1, "give a start before the end"),
        (-1, 1, "give a start before the end"),
        (5, "", "segment from 5 s to 4 s"),
        (3, 4.5, r"segment ends at 4\.5 s, but the recording at 4 s; .*milliseconds"),
        (3, 3.05, "too short: 0.050 s"),
    ],
)
def test_a_segment_that_is_not_in_its_recording_is_left_out_with_the_reason(
    prepared, start, end, reason
):
    folder = prepared(("file", "start", "end", "label"), *GOOD, ("1.wav", start, end, "joy"))
    [skipped] = read_skipped(folder / "skipped.csv")
    assert skipped.file.startswith("1.wav#t=")
    assert re.search(reason, skipped.reason)
    assert len(read_clips(folder / "clips.csv")) == len(GOOD)


def test_an_end_may_be_rounded_up(prepared):
    folder = prepared(
        ("file", "start", "end", "label"), ("0.wav", 3, 4.01, "joy"), ("1.wav", 0, 4, "calm")
    )
    assert spans(folder) == [("0.wav", 3, 4), ("1.wav", 0, 4)]


@pytest.mark.parametrize(
    ("header", "cells", "message"),
    [
        (
            ("start", "end"),
            ("0.5", "soon"),
            "line 2: the end is 'soon'; give seconds, as in 1.5, or hh:mm:ss",
        ),
        (("start", "end"), ("", "1"), "line 2: there is no start"),
        (
            ("start", "label2"),
            ("1", "x"),
            "a column with the start of a segment but none with its end or dur",
        ),
        (
            ("end", "label2"),
            ("1", "x"),
            "a column with the end of a segment but none with its start",
        ),
        (
            ("start_sample", "end_sample"),
            ("100", "900"),
            "column start_sample is not in seconds; .*start_ms",
        ),
        (("start_s", "start_ms"), ("1", "1000"), "columns start_s, start_ms may each be the start"),
    ],
)
def test_times_that_may_mean_something_else_are_refused(prepared, header, cells, message):
    with pytest.raises(CorpusError, match=message):
        prepared(("file", *header, "label"), ("0.wav", *cells, "joy"), ("1.wav", *cells, "calm"))


def test_a_segment_that_is_listed_twice_is_refused(prepared):
    with pytest.raises(
        CorpusError, match=r"line 3: 0\.wav#t=1,2 is listed twice, first in .*line 2"
    ):
        prepared(
            ("file", "start", "end", "label"),
            ("0.wav", 1, 2, "joy"),
            ("0.wav", "1.0", "00:02", "calm"),
        )


def test_a_duration_alone_says_something_of_the_file(prepared, capsys):
    folder = prepared(("file", "duration", "label"), ("0.wav", 1, "joy"), ("1.wav", 1, "calm"))
    assert [clip.duration_s for clip in read_clips(folder / "clips.csv")] == [4, 4]
    assert "columns: further: duration" in capsys.readouterr().out


def test_a_damaged_recording_is_the_reason_for_each_of_its_segments(prepared, root):
    (root / "1.wav").write_bytes(b"RIFF")
    rows = [("1.wav", 0, 1, "joy"), ("1.wav", 1, 2, "calm")]
    folder = prepared(("file", "start", "end", "label"), *GOOD, *rows, allow_bad=True)
    assert [item.file for item in read_skipped(folder / "skipped.csv")] == [
        "1.wav#t=0,1",
        "1.wav#t=1,2",
    ]
