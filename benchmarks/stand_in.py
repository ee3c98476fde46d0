"""Corpora of noise for timing, which does not depend on the content."""

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
from emojax.data.partitioned_corpus import PartitionedCorpus, StoredRecordings
from emojax.data.prepared import PreparedCorpus, Recordings, open_corpus

CLASSES = 7
# Standard deviation of a corpus's durations, relative to their mean. Table 1 has only means; the
# seven corpora of docs/results.md have 0.3 to 0.4.
SPREAD = 1 / 3
DEVEL_SHARE = 0.2  # relative to a train part with all of Table 1's clips


def noise(corpora: int, clips: int, samples: int) -> dict[str, Recordings]:
    """Make corpora of equally long clips."""
    return {
        f"noise{number}": _recordings(np.full(clips, samples), CLASSES, seed=number)
        for number in range(corpora)
    }


def on_disk(corpora: Mapping[str, Recordings], folder: Path) -> dict[str, StoredRecordings]:
    """Prepare the same corpora on disk, like `python -m datasets`."""
    import datasets  # takes seconds to import

    for name, part in corpora.items():
        (folder / name).mkdir()
        files = [f"{number}.wav" for number in range(len(part))]
        for file, clip in zip(files, part.samples, strict=True):
            soundfile.write(folder / name / file, clip, SAMPLE_RATE_HZ)
        with open(folder / name / "labels.csv", "w", newline="") as table:
            csv.writer(table).writerows([("file", "label"), *zip(files, part.labels, strict=True)])
    wanted = ",".join(f"{name}={folder / name}" for name in corpora)
    with contextlib.redirect_stdout(sys.stderr):  # standard output is for the results
        paths = datasets.prepare(wanted, folder, folder / "prepared")
    return {name: _all_of(open_corpus(path)) for name, path in paths.items()}


def _all_of(corpus: PreparedCorpus) -> StoredRecordings:
    whole = PartitionedCorpus(
        corpus.spec.labels, corpus.clips, Partition("all clips", {}), [corpus]
    )
    return StoredRecordings(whole, np.arange(len(corpus.clips)))


def emoset(scale: float, part: str) -> tuple[dict[str, Recordings], dict[str, int]]:
    """Make a part of EmoSet's size and each corpus's number of labels, by the paper's Table 1.

    Args:
      scale: factor for the number of clips.
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
    """Make clips as views of one array of noise, to save memory."""
    random = np.random.default_rng(seed)
    audio = random.integers(-5000, 5000, 2 * lengths.max(), np.int16)
    starts = random.integers(lengths.max(), size=len(lengths))
    samples = [audio[start : start + length] for start, length in zip(starts, lengths, strict=True)]
    return Recordings(samples, np.arange(len(lengths), dtype=np.int32) % classes)
