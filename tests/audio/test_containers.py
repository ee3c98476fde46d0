"""Containers of phones and films: read by PyAV or ffmpeg, else an error says what to install."""

import os
import shutil
import stat
import subprocess

import numpy as np
import pytest

from emojax.audio import containers
from emojax.audio.reading import BadAudio, count_channels, read_audio

HEADS = {
    "mov": b"\0\0\0\x20ftypM4A " + bytes(500),
    "matroska": b"\x1a\x45\xdf\xa3" + bytes(500),
    "amr": b"#!AMR\n" + bytes(500),
    "asf": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(500),
    "aac": b"\xff\xf1\x50\x80" + bytes(500),
}
TONE = (0.3 * np.sin(np.arange(32_000) * 0.1)).astype(np.float32)
AU_HEADER = np.array([0x2E736E64, 28, 0xFFFFFFFF, 6, 16_000, 1], ">u4").tobytes() + bytes(4)

needs_av = pytest.mark.skipif(
    containers.importlib.util.find_spec("av") is None, reason="needs PyAV"
)
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")


@pytest.fixture
def no_av(monkeypatch):
    monkeypatch.setattr(containers.importlib.util, "find_spec", lambda name: None)


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch, no_av):
    """Install a fake ffmpeg that records its arguments and runs a given script."""

    def install(script, output=b""):
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "output").write_bytes(output)
        program = folder / "ffmpeg"
        program.write_text(
            f'#!/bin/sh\nhere="{folder}"\nprintf "%s\\n" "$@" > "$here/call"\n{script}\n'
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return folder / "call"

    return install


def container(tmp_path, kind="mov"):
    path = tmp_path / "-a; b.wav"
    path.write_bytes(HEADS[kind])
    return path


@pytest.mark.parametrize("kind", HEADS)
def test_without_either_the_message_says_what_to_install(tmp_path, monkeypatch, no_av, kind):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadAudio, match=r"PyAV \(pip install av\) or ffmpeg has to be installed"):
        read_audio(container(tmp_path, kind))


@pytest.mark.parametrize("kind", HEADS)
def test_ffmpeg_is_called_so_that_it_opens_this_file_only(tmp_path, ffmpeg, kind):
    call = ffmpeg('cat "$here/output"', AU_HEADER + TONE.astype(">f4").tobytes())
    path = container(tmp_path, kind)
    np.testing.assert_array_equal(read_audio(path), TONE)
    arguments = call.read_text().splitlines()
    assert "-nostdin" in arguments
    assert arguments[arguments.index("-protocol_whitelist") + 1] == "file"
    assert arguments[arguments.index("-f") + 1] == kind
    assert arguments[arguments.index("-i") + 1] == f"file:{path}"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            'cat "$here/output"; echo "[mov @ 0x1] corrupt \033[2Jpacket" >&2',
            r"corrupt \\x1b\[2Jpacket",
        ),
        ('cat "$here/output"; exit 3', "status 3"),
        ("exit 1", "status 1"),
        ("exit 0", "empty: no samples"),
    ],
)
def test_what_ffmpeg_complains_about_is_refused(tmp_path, ffmpeg, script, reason):
    ffmpeg(script, AU_HEADER + TONE.astype(">f4").tobytes())
    with pytest.raises(BadAudio, match=reason):
        read_audio(container(tmp_path))


def test_a_container_without_samples_has_no_channels(tmp_path, ffmpeg):
    ffmpeg("exit 0")
    with pytest.raises(BadAudio, match="empty: no samples"):
        count_channels(container(tmp_path))


def test_an_ffmpeg_that_hangs_is_stopped(tmp_path, ffmpeg, monkeypatch):
    monkeypatch.setattr(containers, "_BLOCK_LIMIT_S", 0.3)
    ffmpeg("exec sleep 60")
    with pytest.raises(BadAudio, match="status -9"):
        read_audio(container(tmp_path))


def encode(path, *settings):
    """A container made by whichever of both is there."""
    if program := shutil.which("ffmpeg"):
        source = ["-f", "f32le", "-ar", "16000", "-ac", "1", "-i", "pipe:0"]
        subprocess.run(
            [program, "-v", "error", *source, *settings, path], input=TONE.tobytes(), check=True
        )
        return path
    import av

    with av.open(str(path), "w") as output:
        stream = output.add_stream("aac", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(TONE[None], "fltp", "mono")
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return path


@pytest.mark.parametrize("suffix", ["m4a", "mp4", "mov", "mkv", "aac"])
@pytest.mark.parametrize(
    "through", [pytest.param("av", marks=needs_av), pytest.param("ffmpeg", marks=needs_ffmpeg)]
)
def test_real_containers_are_read_whole_or_refused(tmp_path, request, suffix, through):
    path = encode(tmp_path / f"a.{suffix}")
    if through == "ffmpeg":
        request.getfixturevalue("no_av")
    samples = read_audio(path)
    assert abs(len(samples) - len(TONE)) < 0.2 * 16_000  # Encoders pad the ends.
    assert abs(np.abs(samples[8000:24_000]).max() - 0.3) < 0.05
    if suffix == "aac":  # Frames without a container: nothing says how many there were.
        return
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(BadAudio, match="undecodable"):
        read_audio(path)
