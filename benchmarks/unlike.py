"""How often a run's models warn: of its own test part, of other corpora, and of what is no speech.

python benchmarks/unlike.py RUN --held_out=casia,nemo --data_dir=DATA

The table is Markdown: percent of recordings with a warning, a column per corpus of the run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import emojax
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.checkpoints import read_manifest
from emojax.data.batches import INT16_SCALE
from emojax.data.prepared import find_corpora, load_recordings
from emojax.evaluation.evaluator import open_trained_on
from emojax.inference.api import Model

MOST_CLIPS = 100
SAMPLES = 3 * SAMPLE_RATE_HZ
Sound = tuple[np.ndarray, int]


def noise(exponent: float, seed: int) -> Sound:
    """Make 3 s of noise whose power falls with frequency to this exponent; 0 is white, 1 pink."""
    random = np.random.default_rng(seed)
    frequency = np.maximum(np.fft.rfftfreq(SAMPLES), 1 / SAMPLES)
    spectrum = random.normal(size=(2, len(frequency))) * frequency ** (-exponent / 2)
    return _scaled(np.fft.irfft(spectrum[0] + 1j * spectrum[1], SAMPLES)), SAMPLE_RATE_HZ


def tone(seed: int) -> Sound:
    """Make 3 s of a sine of 100 to 5000 Hz."""
    pitch_hz = 100 * 50 ** np.random.default_rng(seed).random()
    return _scaled(np.sin(2 * np.pi * pitch_hz * _time_s(SAMPLES))), SAMPLE_RATE_HZ


def chords(seed: int) -> Sound:
    """Make 3 s of decaying major chords, each of 0.25 or 0.5 s, of tones with six harmonics."""
    random, played = np.random.default_rng(seed), []
    while sum(map(len, played)) < SAMPLES:
        time_s = _time_s(int(SAMPLE_RATE_HZ * random.choice([0.25, 0.5])))
        root_hz = 110 * 2 ** (random.integers(24) / 12)
        partials_hz = root_hz * 2 ** (np.array([0, 4, 7]) / 12)[:, None] * np.arange(1, 7)
        waves = np.sin(2 * np.pi * partials_hz[..., None] * time_s) / np.arange(1, 7)[:, None]
        played.append(waves.sum(axis=(0, 1)) * np.exp(-3 * time_s))
    return _scaled(np.concatenate(played)[:SAMPLES]), SAMPLE_RATE_HZ


def dither(seed: int) -> Sound:
    """Make 3 s of silence with dither of one step of 16 bits."""
    steps = np.random.default_rng(seed).integers(-1, 2, SAMPLES)
    return (steps / INT16_SCALE).astype(np.float32), SAMPLE_RATE_HZ


SOUNDS: dict[str, Callable[[int], Sound]] = {
    "white noise": lambda seed: noise(0, seed),
    "white noise, declared 8 kHz": lambda seed: (noise(0, seed)[0], 8000),
    "pink noise": lambda seed: noise(1, seed),
    "tones": tone,
    "chords": chords,
    "silence with dither": dither,
}


def cuts(speech: Sequence[Sound]) -> dict[str, list[Sound]]:
    """Return what is made of the test part: cuts, another rate, and added noise."""
    some = speech[:: max(1, len(speech) // MOST_CLIPS)]
    middle = [(clip[len(clip) // 2 :][: SAMPLE_RATE_HZ // 10], rate) for clip, rate in some]
    return {
        "0.1 s of the test part": middle,
        "test part, declared 8 kHz": [(clip, 8000) for clip, _ in some],
        "test part with white noise at 10 dB": [(_noisy(clip, 10.0), rate) for clip, rate in some],
    }


def warned(model: Model, sounds: Sequence[Sound]) -> str:
    """Return the percentage of recordings with a warning, of those that can be answered."""
    answers = model.predict_many(sounds, return_errors=True)
    heard = [answer for answer in answers if not isinstance(answer, ValueError)]
    return f"{100 * np.mean([bool(answer.warning) for answer in heard]):.0f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--held_out", default="", help="other prepared corpora")
    parser.add_argument("--data_dir", type=Path, default="data")
    arguments = parser.parse_args()
    asked = [name for name in arguments.held_out.split(",") if name]
    others = {name: _some(name, arguments.data_dir) for name in asked}
    made = {name: [make(seed) for seed in range(20)] for name, make in SOUNDS.items()}
    corpora = open_trained_on(arguments.run, read_manifest(arguments.run))
    table: dict[str, list[str]] = {}
    for name, corpus in corpora.items():
        model = emojax.load(arguments.run, name)
        test = [(clip, SAMPLE_RATE_HZ) for clip in corpus.load("test").samples]
        groups = {"own test part": test, **others, **made, **cuts(test)}
        for group, sounds in groups.items():
            table.setdefault(group, []).append(warned(model, sounds))
    print("| warned of, % | " + " | ".join(corpora) + " |\n|---" + "|---" * len(corpora) + "|")
    for group, shares in table.items():
        print(f"| {group} | " + " | ".join(shares) + " |")


def _some(name: str, data_dir: Path) -> list[Sound]:
    """Return at most 100 clips of a prepared corpus, by chance."""
    corpus = find_corpora([name], data_dir)[name]
    rows = np.random.default_rng(0).permutation(len(corpus.clips))[:MOST_CLIPS]
    return [(clip, SAMPLE_RATE_HZ) for clip in load_recordings(corpus, np.sort(rows)).samples]


def _noisy(clip: np.ndarray, snr_db: float) -> np.ndarray:
    speech = clip / INT16_SCALE
    level = np.sqrt(np.mean(speech**2)) * 10 ** (-snr_db / 20)
    return _limited(speech + np.random.default_rng(0).normal(0, level, len(speech)))


def _scaled(sound: np.ndarray) -> np.ndarray:
    return _limited(0.3 * sound / np.abs(sound).max())


def _limited(sound: np.ndarray) -> np.ndarray:
    return np.clip(sound, -1, 1).astype(np.float32)


def _time_s(samples: int) -> np.ndarray:
    return np.arange(samples) / SAMPLE_RATE_HZ


if __name__ == "__main__":
    main()
