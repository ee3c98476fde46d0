"""Damaged audio files: read to a plausible length, or refused; more with ``--fuzz-rounds=N``.

They are read in a process of its own, whose memory is limited, so that a decoder that crashes ends
one test.
"""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emojax.audio.reading import BadAudio, read_audio

ROOT = Path(__file__).parents[2]
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
RATE_HZ = 16_000
DURATION_S = 0.5
# Several times what is joined below at most, at a rate that a flipped bit may quarter.
MAX_SAMPLES = 20 * RATE_HZ
FILES_A_ROUND = 70
MEMORY_LIMIT_BYTES = 2 * 2**30
SIZES = (0, 1, 0x7F, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def encode(suffix, seed):
    seconds = np.arange(round(DURATION_S * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(seed).normal(0, 0.05, (len(seconds), 1 + seed % 2))
    file = io.BytesIO()
    container, subtype = FORMATS[suffix]
    samples = 0.3 * np.sin(2 * np.pi * 300 * seconds)[:, None] + noise
    soundfile.write(file, samples, RATE_HZ, format=container, subtype=subtype)
    return file.getvalue()


def truncate(random, content, others):
    return content[: random.integers(len(content))]


def behead(random, content, others):
    return content[random.integers(len(content)) :]


def flip(random, content, others):
    content = bytearray(content)
    for _ in range(random.integers(1, 20)):
        content[random.integers(len(content))] ^= 1 << random.integers(8)
    return bytes(content)


def lie(random, content, others):
    """A size somewhere in the header becomes another."""
    content = bytearray(content)
    place = random.integers(4, 64)
    size = int(random.choice(SIZES))
    content[place : place + 4] = size.to_bytes(4, str(random.choice(["little", "big"])))
    return bytes(content)


def splice(random, content, others):
    other = others[random.integers(len(others))]
    return content[: random.integers(len(content))] + other[random.integers(len(other)) :]


def remove(random, content, others):
    start, stop = sorted(random.integers(len(content), size=2))
    return content[:start] + content[stop:]


def repeat(random, content, others):
    start, stop = sorted(random.integers(len(content), size=2))
    return content[:stop] + content[start:]


def append(random, content, others):
    return content + random.bytes(random.integers(1, 3000))


DAMAGES = (truncate, behead, flip, lie, splice, remove, repeat, append)


def read_damaged(suffix, rounds, folder):
    """Damage and read; an error that is not BadAudio, or a wrong result, ends the process."""
    others = [encode(other, seed) for seed, other in enumerate(FORMATS)]
    read = 0
    for seed in range(rounds):
        random = np.random.default_rng([seed, *suffix.encode()])
        damage = DAMAGES[seed % len(DAMAGES)]
        path = folder / f"{seed}.{suffix}"
        path.write_bytes(damage(random, encode(suffix, seed % 4), others))
        try:
            samples = read_audio(path)
        except BadAudio as error:
            reason = str(error)
        else:
            read, reason = read + 1, ""
            assert samples.dtype == np.float32, path
            assert np.isfinite(samples).all(), path
            assert np.abs(samples).max() <= 1, path
            assert 0.1 * RATE_HZ <= len(samples) <= MAX_SAMPLES, (path, len(samples))
        assert reason.isprintable(), (path, reason)
        path.unlink()
    return read


@pytest.mark.parametrize("suffix", FORMATS)
def test_damaged_files_are_read_or_refused(suffix, fuzz_rounds, tmp_path):
    files = FILES_A_ROUND * fuzz_rounds
    command = [sys.executable, __file__, suffix, str(files), tmp_path]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60 + files, check=False
    )
    left = [path.name for path in tmp_path.iterdir()]
    assert done.returncode == 0, f"{left}: {done.stderr[-2000:]}"
    assert 0 < int(done.stdout) < files


if __name__ == "__main__":
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    print(read_damaged(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
