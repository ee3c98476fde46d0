"""Reading of all formats, rates and channel counts; one reason for each kind of bad file."""

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emojax.audio.reading import SAMPLE_RATE_HZ, BadAudio, read_audio, to_mono_16khz, to_pcm16

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


def tone(duration_s=1.0, rate_hz=SAMPLE_RATE_HZ, pitch_hz=440.0, channels=1):
    seconds = np.arange(round(duration_s * rate_hz)) / rate_hz
    mono = (0.5 * np.sin(2 * np.pi * pitch_hz * seconds)).astype(np.float32)
    return np.repeat(mono[:, None], channels, axis=1)


def write(path, samples, rate_hz=SAMPLE_RATE_HZ):
    container, subtype = FORMATS[path.suffix[1:]]
    soundfile.write(path, samples, rate_hz, format=container, subtype=subtype)
    return path


def pitch_hz(samples):
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_rate_and_channels(tmp_path, suffix, rate_hz, channels):
    if (suffix, rate_hz) == ("opus", 44_100):
        pytest.skip("Opus knows no 44.1 kHz")
    path = write(tmp_path / f"a.{suffix}", tone(1.0, rate_hz, channels=channels), rate_hz)
    samples = read_audio(path)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert abs(len(samples) - SAMPLE_RATE_HZ) <= 1
    assert abs(pitch_hz(samples) - 440) < 2
    assert abs(np.abs(samples[4000:-4000]).max() - 0.5) < 0.05


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_16khz_mono_int16_survives_to_the_bit(tmp_path, suffix):
    pcm = np.random.default_rng(0).integers(-(2**15), 2**15, SAMPLE_RATE_HZ, dtype=np.int16)
    assert (to_pcm16(read_audio(write(tmp_path / f"a.{suffix}", pcm))) == pcm).all()


def test_channels_are_averaged(tmp_path):
    left, right = tone(pitch_hz=300), tone(pitch_hz=700)
    path = write(tmp_path / "a.wav", np.hstack([left, right]))
    np.testing.assert_allclose(read_audio(path), (left + right)[:, 0] / 2, atol=2**-15)


def test_published_rates_give_the_16khz_copies(corpora_dir):
    """EMOVO at 16 kHz was resampled from 48 kHz stereo by its publisher, and rounded to int16."""
    originals = sorted((corpora_dir / "original_rate" / "emovo").glob("*.wav"))
    assert originals
    for original in originals:
        copy = next((corpora_dir / "emovo").rglob(original.name))
        np.testing.assert_allclose(read_audio(original), read_audio(copy), atol=2**-15)


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def write_float(path, samples):
    soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="FLOAT")
    return path


NOT_FINITE = np.where(np.arange(SAMPLE_RATE_HZ) == 77, np.nan, tone()[:, 0])
NO_TONE = np.zeros(SAMPLE_RATE_HZ)
BAD = {
    "missing": (lambda path: path, "no such file"),
    "folder": (lambda path: path.mkdir() or path, "not a file"),
    "no bytes": (lambda path: path.touch() or path, "empty: 0 bytes"),
    "no samples": (lambda path: write(path, np.zeros(0)), "empty: no samples"),
    "text": (lambda path: path.write_text("file,label\n") and path, "undecodable"),
    "cut wav": (lambda path: cut(write(path, tone()), 0.9), "truncated"),
    "cut flac": (
        lambda path: cut(write(path.with_suffix(".flac"), tone()), 0.9),
        "undecodable.*sync",
    ),
    "cut ogg": (lambda path: cut(write(path.with_suffix(".ogg"), tone()), 0.99), "truncated"),
    "cut opus": (lambda path: cut(write(path.with_suffix(".opus"), tone()), 0.99), "truncated"),
    "cut mp3": (lambda path: cut(write(path.with_suffix(".mp3"), tone()), 0.8), "truncated"),
    "silent": (lambda path: write(path, NO_TONE), "silent"),
    "constant": (lambda path: write(path, NO_TONE + 0.25, 44_100), "silent"),
    "not finite": (lambda path: write_float(path, NOT_FINITE), "not finite"),
    "not scaled": (lambda path: write_float(path, tone() * 2**15), "divide .* by 32768"),
    "too short": (lambda path: write(path, tone(0.099)), r"too short: 0.099 s, at least 0.1 s"),
    "slow": (lambda path: write(path, tone(rate_hz=1000), 1000), "sample rate 1000"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_say_why(tmp_path, kind):
    make, reason = BAD[kind]
    path = make(tmp_path / "a.wav")
    with pytest.raises(BadAudio, match=reason):
        read_audio(path)


def test_a_tenth_of_a_second_is_enough(tmp_path):
    assert len(read_audio(write(tmp_path / "a.wav", tone(0.1)))) == 1600


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, "with header"])
def test_wav_of_a_stream_or_of_a_sloppy_writer_is_good(tmp_path, size):
    path = write(tmp_path / "a.wav", tone())
    content = bytearray(path.read_bytes())
    content[40:44] = (len(content) if size == "with header" else size).to_bytes(4, "little")
    path.write_bytes(content)
    assert len(read_audio(path)) == SAMPLE_RATE_HZ


def test_flac_of_unknown_length_is_good(tmp_path):
    path = write(tmp_path / "a.flac", tone())
    content = bytearray(path.read_bytes())
    total_samples = (
        1 << 36
    ) - 1  # the last 36 of the 64 bits that hold rate, channels, depth and length
    content[18:26] = (int.from_bytes(content[18:26], "big") & ~total_samples).to_bytes(8, "big")
    path.write_bytes(content)
    assert len(read_audio(path)) == SAMPLE_RATE_HZ


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float16", "float64"])
def test_arrays_of_every_dtype_mean_the_same(dtype):
    expected = tone()[:, 0]
    scale = 1 if dtype.startswith("float") else np.iinfo("int" + dtype.strip("uint")).max
    given_samples = (expected * scale + (128 if dtype == "uint8" else 0)).astype(dtype)
    np.testing.assert_allclose(to_mono_16khz(given_samples, SAMPLE_RATE_HZ), expected, atol=2 / 127)


@pytest.mark.parametrize(
    ("samples", "rate_hz", "message"),
    [
        (tone(), 0, "sample rate 0: give an integer from 4000 to 384000 Hz"),
        (tone(), 44_100.5, "sample rate 44100.5"),
        (tone(), "16k", "sample rate '16k'"),
        (np.zeros(0), 16_000, r"shape \[0\]: give \[n\] or \[n, channels\]"),
        (np.zeros((2, 16_000)), 16_000, r"shape \[2, 16000\].*transpose"),
        (np.zeros((4, 16_000, 1)), 16_000, "one by one"),
        (
            np.zeros(16_000, complex),
            16_000,
            "dtype complex128: give float in −1..1, or uint8, int16, int32",
        ),
        (NOT_FINITE, 16_000, "1 of 16000 samples are NaN or infinite"),
        (np.full(16_000, 1e300), 16_000, "infinite"),
        (tone() * 2**15, 16_000, "float samples reach 16.*divide what was int16 by 32768"),
    ],
)
def test_wrong_arrays_say_what_is_allowed(samples, rate_hz, message):
    with pytest.raises(ValueError, match=message):
        to_mono_16khz(samples, rate_hz)


@given(
    hnp.arrays(np.int16, hnp.array_shapes(min_dims=1, max_dims=1, min_side=1, max_side=2000)),
    st.sampled_from([8_000, 22_050, 48_000]),
)
def test_resampled_length_and_range(samples, rate_hz):
    mono = to_mono_16khz(samples, rate_hz)
    assert abs(len(mono) - len(samples) * SAMPLE_RATE_HZ / rate_hz) <= 1
    assert np.abs(mono).max(initial=0) <= 1


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(list(FORMATS)),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_a_damaged_file_is_read_or_refused_but_never_crashes(tmp_path_factory, suffix, damages):
    path = write(tmp_path_factory.mktemp("damaged") / f"a.{suffix}", tone(0.2))
    content = bytearray(path.read_bytes())
    for place, value in damages:
        content[place % len(content)] = value
    path.write_bytes(content)
    try:
        samples = read_audio(path)
    except BadAudio:
        return
    assert np.abs(samples).max() <= 1
