"""Metrics of a corpus's test part: UAR with its interval, WAR, macro F1, confusion matrix."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from emojax.corpora.partitions import SPEAKER_DEPENDENT
from emojax.evaluation.calibration_error import CalibrationResult

_FEWEST_SPEAKERS = 5
FEW_SPEAKERS = "†"
FEW_SPEAKERS_NOTE = f"{FEW_SPEAKERS} fewer than five speakers: says little about others."
_RESAMPLES = 2000


@dataclasses.dataclass(frozen=True)
class SexResult:
    """Scores of the speakers of one sex; as in :class:`CorpusResult`."""

    n: int
    speakers: int | None
    chance: float
    uar: float
    uar_ci95: tuple[float, float]


@dataclasses.dataclass(frozen=True, eq=False)
class CorpusResult:
    """Scores of one corpus; fractions, not percent.

    Attributes:
      corpus: name of the corpus.
      protocol: one line on who was tested.
      n: number of tested clips.
      speakers: number of tested speakers; None if some are unknown.
      chance: UAR of guessing, 1 / number of classes in the truth.
      uar: unweighted average recall, the mean over the classes in the truth.
      uar_ci95: lower and upper end of the 95 % bootstrap interval of UAR.
      ci_over: unit that the bootstrap resampled, ``"speakers"`` or ``"clips"``.
      uar_ci95_clips: the interval over clips, for any ``ci_over``; too narrow if the clips of a
        speaker are alike.
      war: weighted average recall, also known as accuracy.
      macro_f1: mean F1 over the classes in the truth.
      labels: K labels of the corpus.
      confusion: int64[K, K], numbers of clips; a row per true label, a column per predicted one.
      calibration: of the probabilities; None for a system that has none.
      by_sex: sex → scores of its speakers; empty if the corpus does not give it.
    """

    corpus: str
    protocol: str
    n: int
    speakers: int | None
    chance: float
    uar: float
    uar_ci95: tuple[float, float]
    ci_over: str
    uar_ci95_clips: tuple[float, float]
    war: float
    macro_f1: float
    labels: tuple[str, ...]
    confusion: np.ndarray
    calibration: CalibrationResult | None = None
    by_sex: Mapping[str, SexResult] = dataclasses.field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name of the corpus for tables and figures, with its warnings."""
        synthetic = " (synthetic speech)" if self.corpus.startswith("synthetic") else ""
        dependent = speaker_dependent(self.protocol)
        return f"{self.corpus}{synthetic}{dependent}{few_speakers(self.speakers)}"

    def to_json(self) -> dict:
        """Return the scores as plain JSON types, without the name of the corpus."""
        content = dataclasses.asdict(self)
        del content["corpus"]
        content["uar_ci95_over"] = content.pop("ci_over")
        return {
            **content,
            "uar_ci95": list(self.uar_ci95),
            "uar_ci95_clips": list(self.uar_ci95_clips),
            "labels": list(self.labels),
            "confusion": self.confusion.tolist(),
        }


def score(
    corpus: str,
    protocol: str,
    labels: Sequence[str],
    truth: np.ndarray,
    prediction: np.ndarray,
    speakers: Sequence[str],
    seed: int = 0,
) -> CorpusResult:
    """Score the predictions for the clips of one corpus.

    The interval is the 2.5th to 97.5th percentile over 2000 bootstrap resamples: of speakers if
    all are known and there are at least five, else of clips. The UAR of a resample is over the
    classes it holds. The interval of a single clip is 0 to 1.

    Args:
      corpus: name of the corpus.
      protocol: one line on who was tested.
      labels: the K labels.
      truth: int[N], 0..K-1.
      prediction: likewise.
      speakers: N names, empty where unknown.
      seed: seed of the bootstrap.

    Raises:
      ValueError: there are no clips, or unequal numbers of them.

    >>> result = score("demo", "one line", ["angry", "calm"], [0, 0, 0, 1], [0, 0, 1, 1], "aaaa")
    >>> round(result.uar, 3), result.war, result.chance, result.ci_over
    (0.833, 0.75, 0.5, 'clips')
    """
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        f1_score,
    )  # takes seconds to import

    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if not len(truth) == len(prediction) == len(speakers) > 0:
        raise ValueError(
            f"corpus {corpus}: {len(truth)} true labels, {len(prediction)} predictions, "
            f"{len(speakers)} speakers; give one of each per clip, and at least one clip"
        )
    ci_over, unit = bootstrap_units(speakers)
    intervals = {}
    for over, units in {"clips": np.arange(len(truth)), ci_over: unit}.items():
        hits, totals = _count(units, truth, truth == prediction), _count(units, truth, 1)
        intervals[over] = bootstrap_interval(_uar_of(hits, totals), len(totals), (0.0, 1.0), seed)
    classes = np.unique(truth)
    f1 = f1_score(truth, prediction, labels=classes, average="macro", zero_division=0)
    return CorpusResult(
        corpus=corpus,
        protocol=protocol,
        n=len(truth),
        speakers=count_speakers(speakers),
        chance=1 / len(classes),
        uar=float(_uar(hits.sum(0), totals.sum(0))),
        uar_ci95=intervals[ci_over],
        ci_over=ci_over,
        uar_ci95_clips=intervals["clips"],
        war=float(accuracy_score(truth, prediction)),
        macro_f1=float(f1),
        labels=tuple(labels),
        confusion=confusion_matrix(truth, prediction, labels=np.arange(len(labels))),
    )


def unweighted_recall(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the UAR over the classes of the truth, 0..1."""
    from sklearn.metrics import recall_score

    return float(recall_score(truth, predicted, labels=np.unique(truth), average="macro"))


def uar_difference(
    truth: np.ndarray, a: np.ndarray, b: np.ndarray, speakers: Sequence[str], seed: int = 0
) -> tuple[float, tuple[float, float], str]:
    """Return UAR of ``a`` minus UAR of ``b``, its 95 % interval, and the unit that was resampled.

    The bootstrap is paired: each resample has the same units for both. The units are chosen as in
    :func:`score`.

    Args:
      truth: int[N], from 0.
      a: int[N], predictions of one system.
      b: int[N], predictions of the other system for the same clips.
      speakers: N names, empty where unknown.
      seed: seed of the bootstrap.

    >>> truth, wrong = np.array([0, 1] * 50), np.array([0, 1] * 45 + [1, 0] * 5)
    >>> difference, (low, high), over = uar_difference(truth, truth, wrong, ["a"] * 100)
    >>> round(difference, 3), 0 < low < difference < high, over
    (0.1, True, 'clips')
    """
    ci_over, unit = bootstrap_units(speakers)
    totals = _count(unit, truth, 1)
    uar_a, uar_b = (
        _uar_of(_count(unit, truth, truth == predicted), totals) for predicted in (a, b)
    )

    def difference(units: np.ndarray, axis: int) -> np.ndarray:
        return uar_a(units, axis) - uar_b(units, axis)

    everyone = np.arange(len(totals))
    return (
        float(difference(everyone, axis=-1)),
        bootstrap_interval(difference, len(totals), (-1.0, 1.0), seed),
        ci_over,
    )


def mean_uar_interval(
    corpora: Iterable[tuple[np.ndarray, np.ndarray, Sequence[str]]], seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of the mean UAR over corpora.

    A resample has units of every corpus, each drawn by itself and chosen as in :func:`score`.

    Args:
      corpora: of each, int[N] true labels from 0, int[N] predictions, and N speakers, empty where
        unknown; two units or more.
      seed: seed of the bootstrap.

    >>> truth, wrong = np.array([0, 1] * 50), np.array([0, 1] * 45 + [1, 0] * 5)
    >>> low, high = mean_uar_interval([(truth, wrong, ["a"] * 100), (truth, truth, ["b"] * 100)])
    >>> 0.9 < low < 0.95 < high < 1
    True
    """
    uars, units = [], []
    for truth, prediction, speakers in corpora:
        _, unit = bootstrap_units(speakers)
        totals = _count(unit, truth, 1)
        uars.append(_uar_of(_count(unit, truth, truth == prediction), totals))
        units.append(len(totals))

    def mean(*drawn: np.ndarray, axis: int) -> np.ndarray:
        return np.mean([uar(own, axis) for uar, own in zip(uars, drawn, strict=True)], axis=0)

    return _percentiles(mean, units, seed)


def count_speakers(speakers: Iterable[str]) -> int | None:
    """Return the number of speakers; None if some are unknown.

    >>> count_speakers(["a", "b", "a"]), count_speakers(["a", ""])
    (2, None)
    """
    names = set(speakers)
    return None if "" in names else len(names)


def few_speakers(speakers: int | None) -> str:
    """Return the mark of a score of fewer than five speakers; empty for others.

    >>> few_speakers(4), few_speakers(5), few_speakers(None)
    ('†', '', '')
    """
    return FEW_SPEAKERS if speakers is not None and speakers < _FEWEST_SPEAKERS else ""


def speaker_dependent(protocol: str) -> str:
    """Return the mark of a speaker-dependent protocol; empty for others.

    >>> speaker_dependent("speaker-dependent: random fold 1 of 5")
    ' (speaker-dependent)'
    """
    return f" ({SPEAKER_DEPENDENT})" if SPEAKER_DEPENDENT in protocol else ""


def bootstrap_units(speakers: Sequence[str]) -> tuple[str, np.ndarray]:
    """Return the unit to resample, ``"speakers"`` or ``"clips"``, and each clip's unit number."""
    names, speaker = np.unique(speakers, return_inverse=True)
    if len(names) >= _FEWEST_SPEAKERS and "" not in names:
        return "speakers", speaker
    return "clips", np.arange(len(speakers))


def _count(unit: np.ndarray, truth: np.ndarray, what: np.ndarray | int) -> np.ndarray:
    """Return the sum of ``what`` in each unit and class, [units, K]."""
    counts = np.zeros((unit.max() + 1, truth.max() + 1))
    np.add.at(counts, (unit, truth), what)
    return counts


def _uar(hits: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Return the mean recall [...] over classes that have clips, from counts per class [..., K]."""
    return (hits / np.maximum(totals, 1)).sum(-1) / (totals > 0).sum(-1)


def _uar_of(hits: np.ndarray, totals: np.ndarray) -> Callable[[np.ndarray, int], np.ndarray]:
    """Return a function that computes the UAR of a resample, given the indices of its units."""

    def statistic(units: np.ndarray, axis: int) -> np.ndarray:
        units = units.astype(np.int64)
        return _uar(hits[units].sum(axis - 1), totals[units].sum(axis - 1))

    return statistic


def bootstrap_interval(
    statistic: Callable, units: int, ends: tuple[float, float], seed: int
) -> tuple[float, float]:
    """Return a statistic's 95 % percentile interval over resampled units; of one unit the ends."""
    return ends if units == 1 else _percentiles(statistic, [units], seed)


def _percentiles(statistic: Callable, units: Sequence[int], seed: int) -> tuple[float, float]:
    """Return the interval of a statistic of several samples, which are resampled independently."""
    from scipy.stats import bootstrap  # takes seconds to import

    result = bootstrap(
        tuple(map(np.arange, units)),
        statistic,
        n_resamples=_RESAMPLES,
        batch=50,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
