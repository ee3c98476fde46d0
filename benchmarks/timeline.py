"""How right a timeline is, and what it takes, of a recording made of a corpus's clips.

python benchmarks/timeline.py CORPORA --data_dir=DATA [--model=MODEL] [--duration_s=3600]
    [--pauses_s 0.8 3] [--wav=FILE.wav]

Clips follow each other by chance, with pauses of faint noise, so what is said when is known.
Corpora are prepared ones; their labels are taken as common emotions, of which the model must have
some. A model that learnt from them is asked what it knows: the share then says that the tool puts
answers in the right places, and nothing about other speakers.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from sklearn.metrics import recall_score

import emojax
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.corpora.affect import emotion
from emojax.cpu import use_fast_allocator
from emojax.data.batches import INT16_SCALE
from emojax.data.prepared import find_corpora, load_recordings
from emojax.timeline.timeline import Timeline, make_timeline

NOISE = 1e-4  # 80 dB below full scale
GRID_S = 0.01


class Said(NamedTuple):
    """A clip in the recording."""

    start_s: float
    end_s: float
    label: str


def clips(
    names: Sequence[str], data_dir: Path, labels: Sequence[str], seed: int
) -> Iterator[tuple[np.ndarray, str]]:
    """Yield the clips whose common emotion is one of the labels, by chance, again and again."""
    corpora = find_corpora(names, data_dir)
    rows = [
        (corpus, row, common)
        for corpus in corpora.values()
        for row, clip in enumerate(corpus.clips)
        if (common := emotion(clip.label)) in labels
    ]
    random = np.random.default_rng(seed)
    for place in itertools.chain.from_iterable(random.permutation(len(rows)) for _ in iter(int, 1)):
        corpus, row, common = rows[place]
        audio = load_recordings(corpus, np.array([row])).samples[0]
        yield audio / np.float32(INT16_SCALE), common


def record(
    source: Iterator[tuple[np.ndarray, str]],
    duration_s: float,
    pauses_s: Sequence[float],
    wav: Path,
    seed: int,
) -> list[Said]:
    """Write a recording of clips and pauses, and return what is said when."""
    random, now = np.random.default_rng(seed), 0
    said: list[Said] = []
    with soundfile.SoundFile(wav, "w", SAMPLE_RATE_HZ, 1, "PCM_16") as file:
        while now < duration_s * SAMPLE_RATE_HZ:
            pause = round(random.uniform(*pauses_s) * SAMPLE_RATE_HZ)
            file.write(random.normal(0, NOISE, pause).astype(np.float32))
            audio, label = next(source)
            file.write(audio)
            start, now = now + pause, now + pause + len(audio)
            said.append(Said(start / SAMPLE_RATE_HZ, now / SAMPLE_RATE_HZ, label))
    return said


def agreement(timeline: Timeline, said: Sequence[Said]) -> dict:
    """Compare a timeline with what was said, every hundredth of a second."""
    count = round(timeline.duration_s / GRID_S) + 1
    truth, answer = np.full(count, "", object), np.full(count, "", object)
    for start_s, end_s, label in said:
        truth[round(start_s / GRID_S) : round(end_s / GRID_S)] = label
    for segment in timeline.segments:
        place = slice(round(segment.start_s / GRID_S), round(segment.end_s / GRID_S))
        answer[place] = segment.answer.label
    spoken, found = truth != "", answer != ""
    both = spoken & found
    return {
        "clip_time_found": (spoken & found).sum() / spoken.sum(),
        "found_time_in_clips": (spoken & found).sum() / found.sum(),
        "label_right_of_found_clip_time": (truth == answer)[both].mean(),
        "time_uar": uar(truth[both], answer[both]),
    }


def uar(truth: Sequence[str], answer: Sequence[str]) -> float:
    """Return the mean recall over the labels that are true of something."""
    return recall_score(truth, answer, labels=sorted(set(truth)), average="macro", zero_division=0)


def clip_scores(model: emojax.Model, wav: Path, said: Sequence[Said]) -> dict:
    """Score the same clips one by one, cut out where they are known to be."""
    answers = []
    for start_s, end_s, _ in said:
        start, stop = round(start_s * SAMPLE_RATE_HZ), round(end_s * SAMPLE_RATE_HZ)
        samples, rate_hz = soundfile.read(wav, start=start, stop=stop, dtype="float32")
        answers.append((samples, rate_hz))
    labels = [answer.label for answer in model.predict_many(answers)]
    truth = [one.label for one in said]
    right = np.array(labels) == truth
    weights = [one.end_s - one.start_s for one in said]
    return {
        "clips": len(said),
        "clip_uar": uar(truth, labels),
        "clip_right_by_duration": np.average(right, weights=weights),
    }


def peak_memory_mib() -> float:
    """Return the largest size of the process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main() -> None:
    """Print one JSON object."""
    use_fast_allocator()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora")
    parser.add_argument("--data_dir", type=Path, default="data")
    parser.add_argument("--model", default="emojax-small")
    parser.add_argument("--duration_s", type=float, default=3600)
    parser.add_argument(
        "--pauses_s", type=float, nargs=2, default=(0.8, 3.0), help="shortest and longest pause"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wav", type=Path, help="keep the recording there")
    arguments = parser.parse_args()
    model = emojax.load(arguments.model)
    names = arguments.corpora.split(",")
    source = clips(names, arguments.data_dir, model.labels, arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        wav = arguments.wav or Path(folder, "recording.wav")
        said = record(source, arguments.duration_s, arguments.pauses_s, wav, arguments.seed)
        before_mib = peak_memory_mib()
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        timeline = make_timeline(model, wav)
        hours = timeline.duration_s / 3600
        report = {
            "duration_s": timeline.duration_s,
            "wall_s_per_hour": (time.perf_counter() - begin_s) / hours,
            "cpu_s_per_hour": (time.process_time() - begin_cpu_s) / hours,
            "memory_before_mib": before_mib,
            "peak_memory_mib": peak_memory_mib(),
            **agreement(timeline, said),
            **clip_scores(model, wav, said),
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
