"""The page: all in one file, and nothing in it that a stranger can run."""

import base64
import json
import os
import re

import numpy as np
import pytest
import soundfile

from emojax.timeline import sound
from emojax.timeline.writers import write

SCRIPT = "</script><script>alert(1)</script>"
STRANGE = '<img src=x onerror="alert(1)">{{data}}.wav'


@pytest.fixture
def recording(tmp_path):
    """Makes a file of a second of noise."""

    def recording(name="call.wav", **settings):
        noise = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
        soundfile.write(tmp_path / name, noise, 16_000, **settings)
        return str(tmp_path / name)

    return recording


@pytest.fixture
def page(make, tmp_path):
    """Makes the page of a recording: its text, its data and its sound."""

    def page(file, **settings):
        out = tmp_path / "pages" / "call.html"
        write(make([(0, 1, "anger")], file=file, duration_s=1, **settings), out)
        text = out.read_text()
        parts = dict(re.findall(r'<script id="(\w+)"[^>]*>(.*?)</script>', text, re.DOTALL))
        return text, json.loads(parts["data"]), base64.b64decode(parts["sound"])

    return page


def test_a_page_has_the_segments_and_the_sound(page, recording):
    file = recording()
    _, data, content = page(file)
    [segment] = data["tracks"][0]["segments"]
    assert (segment["start"], segment["end"], segment["label"]) == (0, 1, 0)
    assert segment["probabilities"] == [0.8, 0.2]
    assert data["labels"] == ["anger", "neutral"]
    assert max(data["tracks"][0]["waveform"]["high"]) == 100
    with open(file, "rb") as original:
        assert content == original.read()
    assert data["sound"]["type"] == "audio/wav"


def test_names_and_labels_of_strangers_are_text(page, recording):
    text, data, _ = page(recording(STRANGE), labels=("anger", SCRIPT), warning=SCRIPT)
    assert data["name"] == STRANGE
    assert data["labels"][1] == data["tracks"][0]["segments"][0]["warning"] == SCRIPT
    assert "<img" not in text
    assert "<script>alert" not in text
    assert text.count("</script>") == 3
    assert "&lt;img src=x" in text


def test_a_page_asks_the_network_for_nothing(page, recording):
    text, _, _ = page(recording())
    assert "default-src 'none'" in text
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_what_browsers_do_not_play_becomes_an_mp3(page, recording, tmp_path):
    _, data, content = page(recording(subtype="ALAW"))
    (tmp_path / "a.mp3").write_bytes(content)
    info = soundfile.info(tmp_path / "a.mp3")
    assert (info.format, info.samplerate, info.channels) == ("MP3", 16_000, 1)
    assert "MP3" in data["sound"]["note"]
    assert 0.5 < len(content) / sound._MP3_BYTES_PER_S < 1.5


def test_a_sound_without_room_is_a_link_and_that_is_said(page, recording, monkeypatch):
    monkeypatch.setattr(sound, "MAX_BYTES", 1000)
    _, data, content = page(recording("a call?.wav"))
    assert content == b""
    assert data["sound"]["link"] == "./../a%20call%3F.wav"
    assert "keep the recording where it is" in data["sound"]["note"]


def test_a_file_whose_name_is_no_unicode_has_a_page(page, recording, tmp_path):
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav")
    os.rename(recording(), odd)
    _, data, content = page(odd)
    assert data["name"] == r"\udcff.wav"
    assert content.startswith(b"RIFF")
