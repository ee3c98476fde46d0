"""Five formats are recognised by their content, not by their names; other formats are named."""

import gzip
import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest
import soundfile

import emojax.audio.reading
from emojax.audio.reading import BadAudio, read_audio, read_blocks
from emojax.files import printable

TONE = (0.3 * np.sin(np.arange(16_000) * 0.2)).astype(np.float32)
RANDOM = np.random.default_rng(0).bytes(100_000)


def encode(container, subtype=None):
    file = io.BytesIO()
    soundfile.write(file, TONE, 16_000, format=container, subtype=subtype)
    return file.getvalue()


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.mp3", encode("MP3"))
    return file.getvalue()


OGG_FLAC = b"OggS\0\2" + bytes(20) + b"\1\5\x7fFLAC"


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3", "raw", "txt", "m4a", ""])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3"])
def test_a_suffix_says_nothing(tmp_path, container, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(encode(container))
    assert len(read_audio(path)) == 16_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
            "git-lfs pointer.*git lfs pull",
        ),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html><title>Drive</title>", "web page.*download"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied', "XML"),
        (b'{"error": "quota"}', "JSON"),
        ("Grüße, file,label\n".encode(), "plain text"),
        ("file,label\n".encode("utf-16"), "bytes ff fe|plain text"),
        (encode("AIFF"), "AIFF.*convert"),
        (encode("AU"), "Sun audio.*convert"),
        (encode("CAF"), "Core Audio.*convert"),
        (encode("W64"), "Wave64.*convert"),
        (encode("NIST", "PCM_16"), "SPHERE.*convert"),
        (encode("MAT5", "PCM_16"), "MATLAB"),
        (OGG_FLAC, "FLAC in an Ogg file.*convert"),
        (zipped(), "zip.*unpack"),
        (gzip.compress(encode("WAV")), "gzip.*unpack"),
        (b"%PDF-1.7", "PDF"),
        (b"\x93NUMPY\x01\x00" + bytes(100), "np.load"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "picture"),
        (TONE.tobytes(), "no audio format begins with the bytes"),
        (bytes(1000), "no audio format begins with the bytes 00 00"),
        (RANDOM, "no audio format"),
        (b"ID3\4\0\0\x7f\x7f\x7f\x7f" + bytes(100), "truncated"),
        (b"\xff", "no audio format"),
        (b"fLaC", "truncated"),
        (b"OggS", "truncated"),
        (b"RIFF\0\0\0\0WAVE", "undecodable"),
    ],
)
def test_what_is_not_read_is_named(tmp_path, content, words):
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(BadAudio, match=words) as raised:
        read_audio(tmp_path / "a.wav")
    assert str(raised.value).isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "device.wav").symlink_to("/dev/zero")
    (tmp_path / "nowhere.wav").symlink_to("gone.wav")
    (tmp_path / "folder.wav").mkdir()
    for path in tmp_path.iterdir():
        for read in (read_audio, read_blocks):
            with pytest.raises(BadAudio, match="not a file"):
                read(path)


SHORT = {
    "silence": (np.zeros(16_000), "silent"),
    "an offset": (np.full(16_000, 0.25), "silent"),
    "silence with an offset on one side": (np.full((16_000, 2), [0.25, 0.0]), "silent"),
    "opposite offsets": (np.full((16_000, 2), [0.25, -0.25]), "silent"),
    "clipped all over": (np.sign(TONE), ""),
    "one loud sample": (np.eye(1, 16_000, 77)[0], ""),
    "too short": (TONE[:1599], "too short"),
    "just long enough": (TONE[:1600], ""),
    "one sample": (TONE[1:2], "too short"),
    "none": (TONE[:0], "empty"),
    "NaN": (np.where(np.arange(16_000) == 77, np.nan, TONE), "not finite"),
    "infinite on one side": (np.stack([TONE, np.where(TONE > 0.2, np.inf, TONE)], 1), "not finite"),
    "infinite against infinite": (np.stack([TONE + np.inf, TONE - np.inf], 1), "not finite"),
    "not scaled": (TONE * 2**15, "divide what was int16"),
    "very quiet": (TONE * 1e-6, ""),
}


@pytest.mark.parametrize("kind", SHORT)
def test_odd_recordings_are_read_or_refused_by_name(tmp_path, kind):
    samples, reason = SHORT[kind]
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="DOUBLE")
    if not reason:
        assert np.abs(read_audio(tmp_path / "a.wav")).max() > 0
        return
    with pytest.raises(BadAudio, match=reason):
        read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("length_is_known", [True, False])
def test_a_small_file_that_decodes_to_hours_is_refused(tmp_path, monkeypatch, length_is_known):
    monkeypatch.setattr(emojax.audio.reading, "MAX_WHOLE_S", 60)
    path = tmp_path / "bomb.flac"
    soundfile.write(path, np.zeros(16_000 * 120, np.int16), 16_000)
    if not length_is_known:
        content = bytearray(path.read_bytes())
        content[18:26] = (int.from_bytes(content[18:26], "big") >> 36 << 36).to_bytes(8, "big")
        path.write_bytes(content)
    with pytest.raises(BadAudio, match=r"too long: .* at most .* h are read"):
        read_audio(path)


def test_minutes_of_stereo_take_a_few_megabytes(tmp_path):
    """What is allocated while it is read in blocks; the blocks are thrown away."""
    path = tmp_path / "long.flac"
    with soundfile.SoundFile(path, "w", 48_000, 2) as file:
        minute = np.zeros((48_000 * 60, 2), np.int16)
        minute[::1000, 0] = 10_000
        for _ in range(2):
            file.write(minute)
    tracemalloc.start()
    try:
        samples = sum(len(block) for block in read_blocks(path))
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert samples == 2 * 60 * 16_000


def test_names_cannot_steer_a_terminal():
    text = printable("a\x1b]0;b\x07\x1b[2J\n\u202e\udce9é 好.wav")
    assert text.isprintable()
    assert "é 好.wav" in text
