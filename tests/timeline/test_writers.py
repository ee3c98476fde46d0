"""Files of timelines, read back by those who read them."""

import json
import sys

import audformat
import pandas as pd
import pytest
from praatio import textgrid

from emojax.timeline.writers import write

STRANGE = 'an <ang"ry> & {bold}\tlabel'


@pytest.fixture
def timeline(make):
    return make([(0.5, 1.5, "anger"), (1.5, 3.25, "neutral"), (4, 5, "anger")])


@pytest.fixture
def split(make):
    return make([(0.5, 2, "anger")], [(1, 3.25, "neutral")])


@pytest.fixture
def written(tmp_path):
    def written(timeline, name):
        write(timeline, tmp_path / name)
        return tmp_path / name

    return written


def test_csv_is_a_segmented_table(timeline, written):
    table = audformat.utils.read_csv(written(timeline, "a.csv"))
    assert audformat.is_segmented_index(table.index)
    assert list(table.index.get_level_values("end").total_seconds()) == [1.5, 3.25, 5]
    assert list(table["label"]) == ["anger", "neutral", "anger"]
    assert list(table["anger"]) == pytest.approx([0.8, 0.2, 0.8])
    assert table["arousal"].iloc[0] > table["arousal"].iloc[1]
    assert "channel" not in table


def test_csv_of_split_channels_has_a_column_for_them(split, written):
    assert list(pd.read_csv(written(split, "a.csv"))["channel"]) == [1, 2]


def test_json_lines_have_all_of_an_answer(split, written):
    rows = list(map(json.loads, written(split, "a.jsonl").read_text().splitlines()))
    assert [(row["start"], row["end"], row["channel"]) for row in rows] == [
        (0.5, 2, 1),
        (1, 3.25, 2),
    ]
    assert rows[1]["probabilities"] == pytest.approx({"anger": 0.2, "neutral": 0.8})
    assert {"file", "label", "arousal", "valence", "warning"} <= set(rows[0])


def test_rttm_has_ten_fields(make, written):
    timeline = make([(0, 1, "a")], [(2, 3, STRANGE)], file="my call.wav", labels=("a", STRANGE))
    first, second = written(timeline, "a.rttm").read_text().splitlines()
    assert first == "SPEAKER my_call 1 0.000 1.000 <NA> <NA> a <NA> <NA>"
    assert len(second.split()) == 10
    assert second.startswith("SPEAKER my_call 2 2.000 1.000 <NA> <NA> an_<ang")


def test_vtt_has_cues_without_markup_of_strangers(make, written):
    timeline = make([(0, 3661.5, STRANGE)], labels=("a", STRANGE), duration_s=4000)
    head, cue = written(timeline, "a.vtt").read_text().split("\n\n")
    times, text = cue.splitlines()
    assert head == "WEBVTT"
    assert times == "00:00:00.000 --> 01:01:01.500"
    assert text.startswith("an &lt;ang")
    assert "<" not in text


def test_audacity_labels_have_three_fields(make, written):
    timeline = make([(0, 1, "a")], [(2, 3, STRANGE)], labels=("a", STRANGE))
    lines = [line.split("\t") for line in written(timeline, "a.txt").read_text().splitlines()]
    assert lines[0] == ["0.000000", "1.000000", "channel 1: a"]
    assert len(lines[1]) == 3


def test_praat_reads_a_tier_for_each_channel(make, written):
    timeline = make([(0, 1, "a"), (1, 2, STRANGE)], [(2, 3, "a")], labels=("a", STRANGE))
    grid = textgrid.openTextgrid(str(written(timeline, "a.TextGrid")), includeEmptyIntervals=False)
    assert grid.tierNames == ("channel 1", "channel 2")
    assert grid.maxTimestamp == timeline.duration_s
    first = grid.getTier("channel 1").entries
    assert [(one.start, one.end) for one in first] == [(0, 1), (1, 2)]
    assert first[1].label == STRANGE.replace("\t", "\\t")


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "rttm", "vtt", "txt", "TextGrid", "png"])
def test_a_timeline_without_speech_is_written_too(make, written, suffix):
    path = written(make([]), f"a.{suffix}")
    if suffix == "csv":
        assert len(audformat.utils.read_csv(path)) == 0
    if suffix == "TextGrid":
        assert textgrid.openTextgrid(str(path), includeEmptyIntervals=True).tierNames


def test_an_unknown_format_is_refused_by_name(timeline, tmp_path):
    with pytest.raises(ValueError, match=r"a\.mp4: unknown format; .* \.csv, \.jsonl"):
        write(timeline, tmp_path / "a.mp4")


def test_a_missing_extra_is_named_and_no_file_is_left(timeline, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "praatio", None)
    with pytest.raises(ImportError, match="praatio"):
        write(timeline, tmp_path / "a.TextGrid")
    assert not list(tmp_path.iterdir())
