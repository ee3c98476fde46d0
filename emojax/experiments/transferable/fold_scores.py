"""UAR of finished runs fold by fold: its mean on each corpus, and gains over a reference."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

import numpy as np

from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.comparison import Predictions
from emojax.evaluation.fold_gains import Gain, Gains, gains
from emojax.evaluation.metrics import score
from emojax.experiments.reports.pooling import Pooled, pool_runs
from emojax.experiments.reports.results import Scored, read_run
from emojax.experiments.transferable.approaches import SIX


@dataclasses.dataclass(frozen=True)
class FoldScores:
    """Scores of each setting on each corpus, of corpora with all folds only.

    Attributes:
      pooled: the folds, together and one by one.
    """

    pooled: Pooled

    def uars(self, setting: str, corpus: str, part: str = "test") -> dict[tuple[int, str], float]:
        """Return UAR in percent by seed and fold; empty unless all clips were tested."""
        grid, runs = (
            one.settings.get(setting, {}).get(corpus, ())
            for one in (self.pooled.grid, self.pooled.runs)
        )
        whole = {one.seed for one in grid}
        found = {
            (one.seed, one.run["config"]["partition"]): one.devel_uar
            if part == "devel"
            else one.result["uar"]
            for one in runs
            if one.seed in whole
        }
        return {place: 100 * uar for place, uar in found.items() if uar is not None}

    def uar(self, setting: str, corpus: str, part: str = "test") -> float | None:
        """Return the mean over the folds of all seeds in percent; None if there is none."""
        uars = self.uars(setting, corpus, part)
        return fmean(uars.values()) if uars else None

    def deviation(self, setting: str, corpus: str) -> float | None:
        """Return the standard deviation over folds, in percentage points."""
        uars = self.uars(setting, corpus)
        return stdev(uars.values()) if len(uars) > 1 else None

    def gains(self, setting: str, reference: str) -> Gains | None:
        """Return the relative gains of a setting, over the folds that both have of each corpus."""
        own, other = dict[str, list[float]](), dict[str, list[float]]()
        for corpus in self.pooled.grid.corpora:
            a, b = (self.uars(one, corpus) for one in (setting, reference))
            both = [place for place in a if place in b]
            if len(both) > 1:
                own[corpus], other[corpus] = ([one[place] for place in both] for one in (a, b))
        return gains(own, other) if own else None

    def mark(self, setting: str, reference: str, corpus: str) -> str:
        """Return + or − where a setting differs significantly from the reference."""
        found = self.gains(setting, reference)
        return mark(found.corpora[corpus]) if found and corpus in found.corpora else ""

    def best(self, settings: Sequence[str], corpus: str, part: str) -> str | None:
        """Return the setting with the highest mean UAR on a part; None if there is none."""
        found = {one: uar for one in settings if (uar := self.uar(one, corpus, part)) is not None}
        return max(found, key=found.__getitem__) if found else None


def mark(gain: Gain) -> str:
    """Return + or − of a significant gain.

    >>> mark(Gain(0.1, 0.01)), mark(Gain(-0.1, 0.05)), mark(Gain(0.1, 0.06))
    ('+', '−', '')
    """
    return ("+" if gain.relative > 0 else "−") if gain.significant else ""


def read_scores(
    workdirs: Mapping[str, Sequence[Path]],
    corpora: Mapping[str, PreparedCorpus],
    restricted: Mapping[str, PreparedCorpus],
) -> FoldScores:
    """Read the folds of all settings.

    Args:
      workdirs: setting → folders of its results, each of the domain of one or several corpora.
      corpora: name → corpus, as it was divided.
      restricted: name → the same with the clips that are scored.

    Raises:
      ValueError: as :func:`emojax.experiments.reports.pooling.pool`.
    """
    runs: dict[str, dict[str, list[Scored]]] = {}
    for setting, folders in workdirs.items():
        found: dict[str, list[Scored]] = defaultdict(list)
        for folder in folders:
            for scored in read_run(folder).values():
                for name, one in _by_corpus(scored):
                    found[name].append(one)
        runs[setting] = dict(found)
    return FoldScores(pool_runs(runs, restricted, corpora))


def _by_corpus(scored: Scored) -> Iterator[tuple[str, Scored]]:
    """Yield the scores of each corpus of a domain; its files have their corpus's name before."""
    rows: dict[str, Predictions] = defaultdict(dict)
    for file, row in scored.predictions.items():
        name, _, own = file.partition("/")
        speaker = row.speaker.removeprefix(f"{name}/")
        rows[name][own] = dataclasses.replace(row, corpus=name, file=own, speaker=speaker)
    for name, some in rows.items():
        if len(rows) == 1:
            yield name, dataclasses.replace(scored, predictions=some)
        else:  # what devel says of the whole domain is nothing of a corpus
            result = _score(name, scored.result["protocol"], some)
            yield name, dataclasses.replace(scored, result=result, devel_uar=None, predictions=some)


def _score(name: str, protocol: str, rows: Predictions) -> dict:
    truth, predicted = (
        np.array([SIX.index(label) for label in labels])
        for labels in (
            [row.label for row in rows.values()],
            [row.prediction for row in rows.values()],
        )
    )
    speakers = [row.speaker for row in rows.values()]
    return score(name, protocol, SIX, truth, predicted, speakers).to_json()
