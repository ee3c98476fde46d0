"""Contents of the corpora: the paper's Table 1 and Figures 2, 3 and 4."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tqdm

from emojax.audio.log_mel import frame_count
from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.partitions import make_partition
from emojax.corpora.spec import Clip
from emojax.data.prepared import PreparedCorpus, load_recordings
from emojax.experiments.reports.figures import box_figure, histogram_figure, mel_figure
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.table import Cell, Table
from emojax.inference.api import log_mel

_COLUMNS = {
    "clips": ",d",
    "labels": "d",
    "speakers": "d",
    "mean s": ".1f",
    "sd s": ".1f",
    "hours": ".2f",
}
# Columns of the paper's Table 1, which the catalogue holds.
_PAPER = {"clips": ",d", "labels": "d", "speakers": "d", "mean_s": ".1f", "hours": ".2f"}


def corpus_report(corpora: Mapping[str, PreparedCorpus]) -> Report:
    """Report counts and durations; of the audio, one training clip per label is read."""
    durations_s = {
        name: np.array([clip.duration_s for clip in corpus.clips])
        for name, corpus in corpora.items()
    }
    return Report(
        name="statistics",
        title="What is in the corpora",
        protocol="All clips are counted; those of Figure 4 are of the default partition's train "
        "part, or any where a corpus cannot be divided by speaker.",
        seeds="0, of the partitions.",
        normalisation="None: Figure 4 shows the natural logarithm of the mel power as recorded.",
        selection="Figure 4: of each label, the clip whose duration is nearest the median.",
        pieces=[
            _table_1(corpora),
            Picture(
                "figure_2",
                "Figure 2: durations of the clips of each corpus",
                box_figure(durations_s),
            ),
            Picture(
                "figure_3",
                "Figure 3: durations of the clips of all corpora",
                histogram_figure(durations_s),
            ),
            *_figures_4(corpora),
        ],
    )


def _table_1(corpora: Mapping[str, PreparedCorpus]) -> Table:
    paper = {f"paper: {key.replace('_', ' ')}": form for key, form in _PAPER.items()}
    everything = list(itertools.chain.from_iterable(corpus.clips for corpus in corpora.values()))
    return Table(
        "table_1",
        "Table 1: what is in each corpus, beside the EmoNet paper's Table 1",
        {"corpus": "", "language": "", **_COLUMNS, **paper},
        [_row(name, corpus) for name, corpus in corpora.items()],
        ("all", "", len(everything), None, None, *_durations(everything), *(None for _ in _PAPER)),
        [f"{name}: {corpus.spec.notes}" for name, corpus in corpora.items() if corpus.spec.notes],
    )


def _row(name: str, corpus: PreparedCorpus) -> Sequence[Cell]:
    """Return the counts of a prepared corpus, then those of the paper where it has the corpus."""
    labels = {clip.label for clip in corpus.clips} - {""}
    speakers = {clip.speaker for clip in corpus.clips} - {""}
    paper = CATALOGUE[name].table_1 if name in CATALOGUE else {}
    known = [paper.get(key) for key in _PAPER]
    counts = len(corpus.clips), len(labels), len(speakers) or None
    return name, corpus.spec.language, *counts, *_durations(corpus.clips), *known


def _durations(clips: Iterable[Clip]) -> tuple[float, float, float]:
    """Return the mean and the standard deviation in s, and the total in h."""
    durations_s = np.array([clip.duration_s for clip in clips])
    return float(durations_s.mean()), float(durations_s.std()), float(durations_s.sum() / 3600)


def _figures_4(corpora: Mapping[str, PreparedCorpus]) -> Iterable[Picture]:
    for name, corpus in tqdm.tqdm(
        corpora.items(), unit="corpus", desc="mel examples", disable=None
    ):
        examples = _examples(corpus)
        if not examples:  # a corpus without labels
            continue
        recordings = load_recordings(corpus, np.array(list(examples.values())))
        mels = {
            label: _log_mel(samples)
            for label, samples in zip(examples, recordings.samples, strict=True)
        }
        caption = f"Figure 4: log-mel spectrograms of {name}, one clip per label"
        yield Picture(f"figure_4_{name}", caption, mel_figure(mels))


def _log_mel(samples: np.ndarray) -> np.ndarray:
    """Return a clip's log-mel; padding to whole seconds saves compilations and changes no frame."""
    padded = np.pad(samples, (0, -len(samples) % SAMPLE_RATE_HZ))
    return log_mel(padded)[: frame_count(len(samples))]


def _examples(corpus: PreparedCorpus) -> dict[str, int]:
    """Find the train clip of each label whose duration is nearest to the median."""
    try:
        train = make_partition(corpus.spec, corpus.clips).parts["train"]
    except ValueError:  # too few speakers to divide
        train = np.arange(len(corpus.clips))
    examples = {}
    for label in corpus.spec.labels:
        indices = [int(index) for index in train if corpus.clips[index].label == label]
        if indices:
            durations_s = np.array([corpus.clips[index].duration_s for index in indices])
            examples[label] = indices[int(np.abs(durations_s - np.median(durations_s)).argmin())]
    return examples
