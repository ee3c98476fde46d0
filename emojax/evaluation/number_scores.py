"""Scores of a domain of numbers: concordance, correlation and error of each column."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from emojax.evaluation.metrics import (
    bootstrap_interval,
    bootstrap_units,
    count_speakers,
    few_speakers,
    speaker_dependent,
)

Interval = tuple[float, float]
# Share of the mean square below which a variance is rounding.
_ROUNDING = 1e-12


@dataclasses.dataclass(frozen=True)
class ColumnScore:
    """Scores of one column, each with its 95 % bootstrap interval.

    Attributes:
      column: its name.
      ccc: Lin's concordance correlation coefficient, −1..1.
      ccc_ci95: its interval.
      pearson: Pearson's correlation coefficient; 0 if all predictions are equal.
      pearson_ci95: its interval.
      rmse: root mean square error, in the units of the column.
      rmse_ci95: its interval.
    """

    column: str
    ccc: float
    ccc_ci95: Interval
    pearson: float
    pearson_ci95: Interval
    rmse: float
    rmse_ci95: Interval


@dataclasses.dataclass(frozen=True, eq=False)
class NumbersResult:
    """Scores of one domain of numbers.

    Attributes:
      corpus: name of the domain.
      protocol: one line on who was tested.
      n: number of tested clips.
      speakers: number of tested speakers; None if some are unknown.
      mean_ccc: mean concordance over the columns.
      mean_ccc_ci95: its 95 % bootstrap interval.
      ci_over: unit that the bootstrap resampled, ``"speakers"`` or ``"clips"``.
      columns: the scores of each column.
      truth: float64 ``[n, D]``.
      predicted: float64 ``[n, D]``.
    """

    corpus: str
    protocol: str
    n: int
    speakers: int | None
    mean_ccc: float
    mean_ccc_ci95: Interval
    ci_over: str
    columns: tuple[ColumnScore, ...]
    truth: np.ndarray
    predicted: np.ndarray

    @property
    def title(self) -> str:
        """Name of the domain for tables and figures, with its warnings."""
        return f"{self.corpus}{speaker_dependent(self.protocol)}{few_speakers(self.speakers)}"

    def to_json(self) -> dict:
        """Return the scores as plain JSON types, without the name and the numbers of the clips."""
        content = dataclasses.asdict(self)
        for name in ("corpus", "truth", "predicted", "columns"):
            del content[name]
        columns = {one.column: dataclasses.asdict(one) for one in self.columns}
        return {**content, "columns": columns}


def score_numbers(
    corpus: str,
    protocol: str,
    columns: Sequence[str],
    truth: np.ndarray,
    predicted: np.ndarray,
    speakers: Sequence[str],
    seed: int = 0,
) -> NumbersResult:
    """Score the predicted numbers of the clips of one domain.

    Intervals are those of :func:`emojax.evaluation.metrics.score`: over speakers if all are known
    and there are at least five, else over clips.

    Args:
      corpus: name of the domain.
      protocol: one line on who was tested.
      columns: D names.
      truth: float ``[N, D]``.
      predicted: float ``[N, D]``.
      speakers: N names, empty where unknown.
      seed: seed of the bootstrap.

    Raises:
      ValueError: there are fewer than two clips, unequal numbers of them, or numbers that are
        not finite.

    >>> truth = np.arange(10.0)[:, None]
    >>> result = score_numbers("demo", "one line", ["arousal"], truth, truth + 1, [""] * 10)
    >>> (own,) = result.columns
    >>> round(own.ccc, 3), round(own.pearson, 3), round(own.rmse, 3), result.ci_over
    (0.943, 1.0, 1.0, 'clips')
    """
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    finite = np.isfinite(truth).all() and np.isfinite(predicted).all()
    if truth.shape != predicted.shape or not 1 < len(truth) == len(speakers) or not finite:
        raise ValueError(
            f"corpus {corpus}: true numbers {truth.shape}, predicted {predicted.shape}, "
            f"{len(speakers)} speakers; give finite numbers for each clip, and at least two clips"
        )
    over, unit = bootstrap_units(speakers)
    sums = _sums(truth, predicted, unit)

    scores = tuple(_score_column(sums, *pair, seed) for pair in enumerate(columns))
    return NumbersResult(
        corpus=corpus,
        protocol=protocol,
        n=len(truth),
        speakers=count_speakers(speakers),
        mean_ccc=float(np.mean([one.ccc for one in scores])),
        mean_ccc_ci95=_interval(sums, _ccc, slice(None), seed),
        ci_over=over,
        columns=scores,
        truth=truth,
        predicted=predicted,
    )


def _score_column(sums: np.ndarray, place: int, column: str, seed: int) -> ColumnScore:
    """Return the scores of one column, given the sums of :func:`_sums`."""
    everyone, own = sums.sum(0), slice(place, place + 1)
    ccc, pearson, rmse = (float(one(everyone)[place]) for one in (_ccc, _pearson, _rmse))
    ends = [_interval(sums, one, own, seed) for one in (_ccc, _pearson, _rmse)]
    return ColumnScore(column, ccc, ends[0], pearson, ends[1], rmse, ends[2])


def _interval(sums: np.ndarray, statistic: Callable, columns: slice, seed: int) -> Interval:
    """Return the interval of the mean of a statistic over some columns."""

    def resampled(units: np.ndarray, axis: int) -> np.ndarray:
        moments = sums[units.astype(np.int64)].sum(axis - 2)
        return statistic(moments)[..., columns].mean(-1)

    return bootstrap_interval(resampled, len(sums), (-1.0, 1.0), seed)


def _sums(truth: np.ndarray, predicted: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Return the sums of 1, t, p, t², p² and t·p in each unit and column, ``[units, 6, D]``.

    The mean of the truth is subtracted first, so that differences of sums are exact.
    """
    t, p = truth - truth.mean(0), predicted - truth.mean(0)
    sums = np.zeros((unit.max() + 1, 6, truth.shape[1]))
    np.add.at(sums, unit, np.stack([np.ones_like(t), t, p, t**2, p**2, t * p], axis=1))
    return sums


def _moments(sums: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the means, variances and covariance of sums ``[..., 6, D]``, each ``[..., D]``."""
    n, t, p, tt, pp, tp = np.moveaxis(sums, -2, 0)
    t, p = t / n, p / n
    var_t, var_p = _variance(tt / n, t), _variance(pp / n, p)
    return t, p, var_t, var_p, np.where(var_t * var_p > 0, tp / n - t * p, 0)


def _variance(mean_square: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Return the variance; 0 where it is as small as rounding makes that of equal numbers."""
    variance = mean_square - mean**2
    return np.where(variance > _ROUNDING * mean_square, variance, 0)


def _ccc(sums: np.ndarray) -> np.ndarray:
    t, p, var_t, var_p, covariance = _moments(sums)
    return 2 * covariance / np.maximum(var_t + var_p + (t - p) ** 2, 1e-300)


def _pearson(sums: np.ndarray) -> np.ndarray:
    _, _, var_t, var_p, covariance = _moments(sums)
    return covariance / np.maximum(np.sqrt(var_t * var_p), 1e-300)


def _rmse(sums: np.ndarray) -> np.ndarray:
    n, _, _, tt, pp, tp = np.moveaxis(sums, -2, 0)
    return np.sqrt(np.maximum(tt + pp - 2 * tp, 0) / n)
