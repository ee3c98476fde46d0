"""Decoder of container formats (MP4, Matroska, ...) by PyAV or ffmpeg, if one is installed."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from emojax.audio.pieces import BadAudio
from emojax.files import printable

_BLOCK_SAMPLES = 2**17
# Longest time that ffmpeg may take for one block, which is a few seconds of sound.
_BLOCK_LIMIT_S = 60.0
_AU_HEADER = struct.Struct(">4s5I")
_AU_HEADER_MAX_BYTES = 4096


def decode(path: Path, name: str, demuxer: str) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the first sound track in blocks: float32 ``[n, channels]`` and the rate in Hz.

    Args:
      path: path of the file.
      name: name of the container in messages.
      demuxer: ffmpeg's name of the container; no other is tried, so that a playlist cannot open
        other files.

    Raises:
      BadAudio: the file is damaged or has no sound, or neither PyAV nor ffmpeg is installed.
    """
    if importlib.util.find_spec("av"):
        return _by_av(path, demuxer)
    if program := shutil.which("ffmpeg"):
        return _by_ffmpeg(program, path, demuxer)
    raise BadAudio(
        f"undecodable: {name}, for which PyAV (pip install av) or ffmpeg has to be installed; "
        "or convert it to wav elsewhere"
    )


def _by_av(path: Path, demuxer: str) -> Iterator[tuple[np.ndarray, int]]:
    import av

    if av.logging.get_level() is None:
        av.logging.set_level(av.logging.ERROR)
    options = {"protocol_whitelist": "file"}
    try:
        with (
            av.logging.Capture() as complaints,
            open(path, "rb") as file,
            av.open(file, format=demuxer, options=options) as container,
        ):
            if not container.streams.audio:
                raise BadAudio("undecodable: no sound track in it")
            yield from _gathered(_frames(container))
            _check_complaints(
                "\n".join(text for level, _, text in complaints if level <= av.logging.ERROR)
            )
    except av.FFmpegError as error:
        raise BadAudio(f"undecodable: {printable(error.strerror or str(error))}") from None


def _frames(container) -> Iterator[tuple[np.ndarray, int]]:
    from av import AudioResampler

    resampler = AudioResampler(format="fltp")  # Keeps the rate and channels of the first frame.
    for frame in container.decode(audio=0):
        for same in resampler.resample(frame):
            yield same.to_ndarray().T, same.sample_rate


def _gathered(frames: Iterator[tuple[np.ndarray, int]]) -> Iterator[tuple[np.ndarray, int]]:
    """Join short frames to blocks."""
    waiting: list[np.ndarray] = []
    samples = rate_hz = 0
    for frame, rate_hz in frames:
        waiting.append(frame)
        samples += frame.size
        if samples >= _BLOCK_SAMPLES:
            yield np.concatenate(waiting), rate_hz
            waiting, samples = [], 0
    if waiting:
        yield np.concatenate(waiting), rate_hz


def _by_ffmpeg(program: str, path: Path, demuxer: str) -> Iterator[tuple[np.ndarray, int]]:
    source = ["-protocol_whitelist", "file", "-f", demuxer, "-i", f"file:{path.absolute()}"]
    target = ["-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
    command = [program, "-nostdin", "-v", "error", "-xerror", *source, *target]
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        ) as process,
    ):
        assert process.stdout
        try:
            yield from _au_blocks(process, process.stdout)
            process.wait(_BLOCK_LIMIT_S)
        finally:
            process.kill()
        complaints.seek(0)
        _check_complaints(complaints.read(_AU_HEADER_MAX_BYTES).decode("utf-8", "replace"))
        if process.returncode:
            raise BadAudio(f"undecodable: ffmpeg ended with status {process.returncode}")


def _au_blocks(process: subprocess.Popen, output: IO[bytes]) -> Iterator[tuple[np.ndarray, int]]:
    """Read the output of ffmpeg: an AU header, then float32 samples to the end."""
    head = _read(process, output, _AU_HEADER.size)
    if len(head) < _AU_HEADER.size:
        return
    _, start, _, _, rate_hz, channels = _AU_HEADER.unpack(head)
    _read(process, output, start - _AU_HEADER.size)
    frame_bytes = 4 * channels
    while content := _read(process, output, _BLOCK_SAMPLES // channels * frame_bytes):
        whole = len(content) // frame_bytes * channels
        yield np.frombuffer(content, ">f4", whole).reshape(-1, channels).astype(np.float32), rate_hz


def _read(process: subprocess.Popen, output: IO[bytes], count: int) -> bytes:
    """Read ``count`` bytes, or fewer at the end or when the time limit is reached."""
    timer = threading.Timer(_BLOCK_LIMIT_S, process.kill)
    timer.start()
    try:
        return output.read(count)
    finally:
        timer.cancel()


def _check_complaints(text: str) -> None:
    """Raise BadAudio if the decoder reported errors, as samples may be missing."""
    if text.strip():
        reason = text.strip().splitlines()[0].rsplit("] ", 1)[-1]
        raise BadAudio(f"undecodable: {printable(reason)}")
