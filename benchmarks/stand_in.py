"""Corpora of noise: what is said does not matter to how long it takes."""

from __future__ import annotations

import contextlib
import csv
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import soundfile

from emojax.audio.reading import MIN_DURATION_S, SAMPLE_RATE_HZ
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.partitions import Partition
from emojax.data.partitioned import PartitionedCorpus, StoredRecordings
from emojax.data.prepared import PreparedCorpus, Recordings, open_corpus

CLASSES = 7
# Deviation of a corpus's durations, in parts of their mean.  Table 1 has means only; the seven
# corpora of docs/results.md have 0.3 to 0.4.
SPREAD = 1 / 3
DEVEL_SHARE = 0.2  # of a corpus whose train part has all of Table 1's clips


def noise(corpora: int, clips: int, samples: int) -> dict[str, Recordings]:
    """Corpora of equally long clips."""
    return {
        f"noise{number}": _recordings(np.full(clips, samples), CLASSES, seed=number)
        for number in range(corpora)
    }


def on_disk(corpora: Mapping[str, Recordings], folder: Path) -> dict[str, StoredRecordings]:
    """The same corpora as `python -m datasets` prepares them."""
    import datasets  # seconds to import

    for name, part in corpora.items():
        (folder / name).mkdir()
        files = [f"{number}.wav" for number in range(len(part))]
        for file, clip in zip(files, part.samples, strict=True):
            soundfile.write(folder / name / file, clip, SAMPLE_RATE_HZ)
        with open(folder / name / "labels.csv", "w", newline="") as table:
            csv.writer(table).writerows([("file", "label"), *zip(files, part.labels, strict=True)])
    wanted = ",".join(f"{name}={folder / name}" for name in corpora)
    with contextlib.redirect_stdout(sys.stderr):  # standard output is for what is measured
        paths = datasets.prepare(wanted, folder, folder / "prepared")
    return {name: _all_of(open_corpus(path)) for name, path in paths.items()}


def _all_of(corpus: PreparedCorpus) -> StoredRecordings:
    whole = PartitionedCorpus(
        corpus.spec.labels, corpus.clips, Partition("all clips", {}), [corpus]
    )
    return StoredRecordings(whole, np.arange(len(corpus.clips)))


def emoset(scale: float, part: str) -> tuple[dict[str, Recordings], dict[str, int]]:
    """A part as large as EmoSet's, and the number of labels of each corpus, by Table 1 of the EmoNet paper.

    Args:
      scale: how many times as many clips as there.
      part: ``train``, with all clips of Table 1, or ``devel``, with a fifth as many.
    """
    rows = {name: spec.table_1 for name, spec in CATALOGUE.items() if spec.table_1}
    classes = {name: int(row["labels"]) for name, row in rows.items()}
    scale *= DEVEL_SHARE if part == "devel" else 1
    corpora = {}
    for seed, (name, row) in enumerate(rows.items()):
        clips = max(classes[name], round(scale * row["clips"]))
        corpora[name] = _recordings(_lengths(clips, row["mean_s"], seed), classes[name], seed)
    return corpora, classes


def _lengths(clips: int, mean_s: float, seed: int) -> np.ndarray:
    shape = SPREAD**-2
    drawn_s = np.random.default_rng(seed).gamma(shape, mean_s / shape, clips)
    return np.rint(SAMPLE_RATE_HZ * np.maximum(drawn_s, MIN_DURATION_S)).astype(int)


def _recordings(lengths: np.ndarray, classes: int, seed: int) -> Recordings:
    """Clips that are views of one noise, so that they take no memory of their own."""
    random = np.random.default_rng(seed)
    audio = random.integers(-5000, 5000, 2 * lengths.max(), np.int16)
    starts = random.integers(lengths.max(), size=len(lengths))
    samples = [audio[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    return Recordings(samples, np.arange(len(lengths), dtype=np.int32) % classes)
