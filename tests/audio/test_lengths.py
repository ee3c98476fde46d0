"""Length of a recording, where headers are wrong, files truncated or several files joined."""

import io
import struct

import numpy as np
import pytest
import soundfile

from emojax.audio.reading import BadAudio, read_audio

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
SETTINGS = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"
TAG = b"TAG" + b"x" * 125


def tone(duration_s=1.0, rate_hz=16_000):
    seconds = np.arange(round(duration_s * rate_hz)) / rate_hz
    noise = np.random.default_rng(0).standard_normal(len(seconds))
    return (0.3 * np.sin(2 * np.pi * 440 * seconds) + 0.01 * noise).astype(np.float32)


def encode(suffix, samples, rate_hz=16_000, **settings):
    file = io.BytesIO()
    container, subtype = FORMATS[suffix]
    soundfile.write(file, samples, rate_hz, format=container, subtype=subtype, **settings)
    return file.getvalue()


PCM = (tone() * 2**15).astype("<i2").tobytes()


def wav(riff, data, pcm=PCM, magic=b"RIFF", before=b"", after=b""):
    return b"".join(
        [
            magic,
            struct.pack("<I", riff),
            b"WAVE",
            before,
            SETTINGS,
            b"data",
            struct.pack("<I", data),
            pcm,
            after,
        ]
    )


def rf64(data):
    sizes = b"ds64" + struct.pack("<IQQQI", 28, data, data, data // 2, 0)
    return wav(0xFFFFFFFF, 0xFFFFFFFF, magic=b"RF64", before=sizes)


def read(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    return read_audio(path)


@pytest.mark.parametrize(
    "content",
    [
        wav(0, 0),
        wav(36, 0),
        wav(0, 0, before=LIST),
        wav(2_000_000_036, 2_000_000_000),
        wav(2_000_000_000, 1_999_999_964),
        wav(0x7FFFFFFF, 0x7FFFFFFF - 36),
        wav(0x80000024, 0x80000000),
        wav(0xFFFFFFFF, 0xFFFFFFFF),
        wav(0, len(PCM), before=LIST, after=LIST),
        wav(0, len(PCM), after=bytes(3000)),
        rf64(len(PCM)),
        rf64(0),
        rf64(2**64 - 1),
    ],
)
def test_a_wav_whose_size_was_left_open_is_read_whole(tmp_path, content):
    assert (np.round(read(tmp_path, content) * 2**15) == np.frombuffer(PCM, "<i2")).all()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (wav(0, 1_234_567_890), "truncated"),
        (wav(0, 100_000), "truncated: 32044 of 100000 bytes"),
        (wav(0, 1000), "counts 1000 bytes of samples, but 31000 more follow"),
        (rf64(1000), "31000 more follow"),
        (wav(0, len(PCM), after=b"data" + struct.pack("<I", len(PCM)) + PCM), "second chunk"),
        (wav(36, 0, pcm=b"", after=LIST), "empty: no samples"),
    ],
)
def test_a_wav_whose_size_is_wrong_is_refused(tmp_path, content, reason):
    with pytest.raises(BadAudio, match=reason):
        read(tmp_path, content)


@pytest.mark.parametrize("before", [b"", b"ID3\4\0\0\0\0\0\x0a" + bytes(10)])
@pytest.mark.parametrize("suffix", FORMATS)
def test_joined_files_are_read_one_after_the_other(tmp_path, suffix, before):
    first, second = encode(suffix, tone(1.0)), encode(suffix, tone(2.0))
    samples = read(tmp_path, before + first + second)
    expected = [read(tmp_path, content) for content in (first, second)]
    np.testing.assert_array_equal(samples, np.concatenate(expected))


def test_joined_streams_of_open_size_are_read_without_the_headers_between(tmp_path):
    samples = read(tmp_path, wav(0xFFFFFFFF, 0xFFFFFFFF) * 3)
    assert (np.round(samples * 2**15) == np.tile(np.frombuffer(PCM, "<i2"), 3)).all()


@pytest.mark.parametrize("suffix", FORMATS)
def test_joined_files_of_two_rates_are_refused(tmp_path, suffix):
    with pytest.raises(BadAudio, match="joined recordings of different rates"):
        read(tmp_path, encode(suffix, tone()) + encode(suffix, tone(rate_hz=24_000), 24_000))


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_tag_at_the_end_is_no_sound(tmp_path, suffix):
    content = encode(suffix, tone())
    np.testing.assert_array_equal(read(tmp_path, content + TAG), read(tmp_path, content))


def varying_mp3():
    """Frames of very different sizes, so that nobody can tell their number from the first ones."""
    noise = 0.3 * np.random.default_rng(0).standard_normal(80_000).astype(np.float32)
    content = encode(
        "mp3", np.concatenate([tone(5), noise]), bitrate_mode="VARIABLE", compression_level=0.3
    )
    return content, content.find(content[:2], 4)


def test_an_mp3_without_its_table_of_contents_is_read_whole(tmp_path):
    content, first = varying_mp3()
    assert b"Xing" in content[:first]
    for start in (first, first + 17):  # The second has lost its first frame, too.
        assert abs(len(read(tmp_path, content[start:])) - 160_000) < 2000


def with_table(promised):
    content = bytearray(varying_mp3()[0])
    place = content.find(b"Xing") + 8
    content[place : place + 4] = promised.to_bytes(4, "big")
    return content


def test_an_mp3_that_is_longer_than_its_table_says_is_read_whole(tmp_path):
    assert abs(len(read(tmp_path, with_table(10))) - 160_000) < 2000


def test_an_mp3_that_is_shorter_than_its_table_says_is_refused(tmp_path):
    with pytest.raises(BadAudio, match="truncated"):
        read(tmp_path, with_table(10**6))


def test_an_mp3_inside_a_wav_is_read_whole(tmp_path):
    content = encode("mp3", tone())
    settings = b"fmt " + struct.pack(
        "<IHHIIHHHHIHHH", 30, 0x55, 1, 16_000, 4000, 1, 0, 12, 1, 2, 576, 1, 0
    )
    wrapped = (
        b"RIFF"
        + bytes(4)
        + b"WAVE"
        + settings
        + b"data"
        + struct.pack("<I", len(content))
        + content
    )
    np.testing.assert_array_equal(read(tmp_path, wrapped), read(tmp_path, content))


@pytest.mark.parametrize("promised", [1000, 15_000])
def test_a_flac_that_is_longer_than_its_header_says_is_read_whole(tmp_path, promised):
    content = bytearray(encode("flac", tone()))
    fields = int.from_bytes(content[18:26], "big") >> 36 << 36 | promised
    content[18:26] = fields.to_bytes(8, "big")
    assert len(read(tmp_path, content)) == 16_000


@pytest.mark.parametrize("suffix", ["ogg", "opus"])
def test_an_ogg_that_lacks_a_page_is_refused(tmp_path, suffix):
    content = encode(suffix, tone(20))
    pages = content.split(b"OggS")
    assert len(pages) > 7
    del pages[5]
    with pytest.raises(BadAudio, match=r"truncated|undecodable"):
        read(tmp_path, b"OggS".join(pages))
