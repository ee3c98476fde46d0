"""Pooled folds of finished runs: each clip of a corpus is tested once, and all have one score."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from emojax.corpora.folds import make_folds
from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.by_sex import with_sexes
from emojax.evaluation.comparison import Predictions
from emojax.evaluation.metrics import score
from emojax.experiments.reports.fusion import fuse
from emojax.experiments.reports.results import Scored, read_run
from emojax.experiments.reports.score_grid import Grid


@dataclasses.dataclass(frozen=True)
class Pooled:
    """Finished folds, together and one by one.

    Attributes:
      grid: a score for each setting, corpus and seed whose clips are all tested.
      runs: all folds, also those of incomplete corpora.
      gaps: a line for each incomplete corpus.
    """

    grid: Grid
    runs: Grid
    gaps: Sequence[str]

    def missing(self, others: str) -> str:
        """List the gaps in one line, after other results that are missing."""
        return "; ".join(filter(None, (others, *self.gaps)))

    def seeds(self) -> str:
        """List the seeds of the folds."""
        found = sorted({one.seed for one in self.runs.runs()})
        return f"{', '.join(map(str, found))}; one run of each fold in each setting with each seed."


def pool(
    workdirs: Mapping[str, Sequence[Path]],
    corpora: Mapping[str, PreparedCorpus],
    fused: Mapping[str, Sequence[str]] | None = None,
) -> Pooled:
    """Read the folds of all settings, and score those of a corpus as one.

    Args:
      workdirs: setting → work directories of its folds.
      corpora: the corpora to score; other domains of a run are not read.
      fused: further setting → the settings that it fuses.

    Raises:
      ValueError: a run without results, a clip that is tested twice or is not in its corpus, folds
        of different kinds, a fused setting without probabilities, or no setting with all clips of
        any corpus.
    """
    runs = {setting: _by_corpus(some, corpora) for setting, some in workdirs.items()}
    return pool_runs(runs, corpora, corpora, fused)


def pool_runs(
    runs: Mapping[str, Mapping[str, Sequence[Scored]]],
    corpora: Mapping[str, PreparedCorpus],
    divided: Mapping[str, PreparedCorpus],
    fused: Mapping[str, Sequence[str]] | None = None,
) -> Pooled:
    """Score the folds of a corpus as one.

    Args:
      runs: setting → corpus → its folds.
      corpora: as for :func:`pool`.
      divided: the corpora with all clips that were divided into folds.
      fused: as for :func:`pool`.

    Raises:
      ValueError: as :func:`pool`.
    """
    pooler = _Pooler(corpora, divided)
    settings = {setting: pooler.setting(setting, found) for setting, found in runs.items()}
    settings |= {name: pooler.fused(parts, settings) for name, parts in (fused or {}).items()}
    whole = {setting: scored for setting, scored in settings.items() if scored}
    if not whole:
        raise ValueError(
            f"no setting has all folds of a corpus ({'; '.join(pooler.gaps) or 'none of these'}); "
            "run the same command again, or give the runs of all folds"
        )
    kept = [name for name in corpora if any(name in scored for scored in whole.values())]
    return Pooled(Grid(whole, kept), Grid(runs, list(corpora)), pooler.gaps)


def _by_corpus(
    workdirs: Sequence[Path], corpora: Mapping[str, PreparedCorpus]
) -> dict[str, list[Scored]]:
    found: dict[str, list[Scored]] = defaultdict(list)
    for workdir in workdirs:
        for name, scored in read_run(workdir).items():
            if name in corpora:
                found[name].append(scored)
    return found


class _Pooler:
    """Pools the folds of each setting, and collects the gaps."""

    def __init__(
        self, corpora: Mapping[str, PreparedCorpus], divided: Mapping[str, PreparedCorpus]
    ) -> None:
        self.corpora, self.divided, self.gaps = corpora, divided, list[str]()
        self.protocol = functools.cache(self._protocol)

    def setting(
        self, setting: str, runs: Mapping[str, Sequence[Scored]]
    ) -> dict[str, list[Scored]]:
        """Return corpus → a score for each seed; incomplete corpora are left out."""
        pooled: dict[str, list[Scored]] = defaultdict(list)
        for name, scored in runs.items():
            for seed in sorted({one.seed for one in scored}):
                folds = [one for one in scored if one.seed == seed]
                tested = _together(f"{setting}: corpus {name} with seed {seed}", folds)
                self._check(setting, name, tested)
                n = len(self.corpora[name].clips)
                if len(tested) < n:
                    self.gaps.append(
                        f"{setting}, {name}, seed {seed}: {len(tested)} of {n} clips are tested"
                    )
                else:
                    pooled[name].append(self._one(name, folds, tested))
        return dict(pooled)

    def fused(
        self, parts: Sequence[str], settings: Mapping[str, Mapping[str, Sequence[Scored]]]
    ) -> dict[str, list[Scored]]:
        """Return corpus → a score for each seed that all parts have."""
        fused: dict[str, list[Scored]] = defaultdict(list)
        for name in self.corpora:
            seeds = [
                {one.seed: one for one in settings.get(part, {}).get(name, ())} for part in parts
            ]
            for seed in seeds[0]:
                if all(seed in found for found in seeds):
                    together = {part: found[seed] for part, found in zip(parts, seeds, strict=True)}
                    fused[name].append(self._fuse(name, together))
        return dict(fused)

    def _fuse(self, name: str, parts: Mapping[str, Scored]) -> Scored:
        predictions = {part: one.predictions for part, one in parts.items()}
        tested = fuse(predictions, self.corpora[name].spec.labels)
        protocol = "; ".join(dict.fromkeys(one.result["protocol"] for one in parts.values()))
        (first, *_) = parts.values()
        return Scored(first.workdir, first.run, self._score(name, protocol, tested), None, tested)

    def _check(self, setting: str, name: str, tested: Predictions) -> None:
        """Refuse clips that are not in the corpus, or have another label there."""
        labels = {clip.file: clip.label for clip in self.corpora[name].clips}
        strange = [file for file, row in tested.items() if labels.get(file) != row.label]
        if strange:
            raise ValueError(
                f"{setting}: {len(strange)} clips of corpus {name} are not in it now, or have "
                f"another label, such as {strange[0]}; score runs on the corpus as it is"
            )

    def _one(self, name: str, folds: Sequence[Scored], tested: Predictions) -> Scored:
        protocol = self.protocol(name, _scheme(folds), folds[0].seed)
        devel = [one.devel_uar for one in folds if one.devel_uar is not None]
        mean = fmean(devel) if len(devel) == len(folds) else None
        result = self._score(name, protocol, tested)
        return Scored(folds[0].workdir, folds[0].run, result, mean, tested)

    def _score(self, name: str, protocol: str, tested: Predictions) -> dict:
        spec = self.corpora[name].spec
        rows = [tested[clip.file] for clip in self.corpora[name].clips]
        truth, predicted = (
            np.array([spec.labels.index(label) for label in labels])
            for labels in ([row.label for row in rows], [row.prediction for row in rows])
        )
        speakers = [row.speaker for row in rows]
        result = score(name, protocol, spec.labels, truth, predicted, speakers)
        return with_sexes(result, [self.corpora[name]], truth, predicted, speakers).to_json()

    def _protocol(self, name: str, scheme: str, seed: int) -> str:
        return make_folds(self.divided[name].spec, self.divided[name].clips, scheme, seed).protocol


def _together(what: str, folds: Sequence[Scored]) -> Predictions:
    """Return the predictions of all folds, by file."""
    tested: Predictions = {}
    for one in folds:
        twice = tested.keys() & one.predictions.keys()
        if twice:
            raise ValueError(
                f"{what}: {min(twice)} is tested by {one.workdir} and by another run; give each "
                "fold once"
            )
        tested |= one.predictions
    return tested


def _scheme(folds: Sequence[Scored]) -> str:
    """Return the scheme of the folds, as for :func:`~emojax.corpora.folds.make_folds`."""
    (scheme, *others) = dict.fromkeys(_schemes(folds))
    if others:
        raise ValueError(
            f"{folds[0].workdir} is of {scheme}, and others of {', '.join(others)}; give the folds "
            "of one partition"
        )
    return scheme


def _schemes(folds: Sequence[Scored]) -> Iterator[str]:
    for one in folds:
        partition = str(one.run["config"].get("partition", "default"))
        yield re.sub(r"^(loso):.*|^(fold|random):[0-9]+/", lambda m: m[1] or f"{m[2]}:", partition)
