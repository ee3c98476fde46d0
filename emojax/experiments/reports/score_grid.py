"""Grid of scores by setting, corpus and seed, and comparisons with the first setting."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean, stdev

from emojax.evaluation.comparison import Comparison, compare_predictions
from emojax.evaluation.metrics import few_speakers
from emojax.evaluation.statistics import almost_stochastic_order
from emojax.experiments.reports.results import Scored, read_setting

PARTS = ("devel", "test")


@dataclasses.dataclass(frozen=True)
class Grid:
    """Scores by setting, corpus and seed; not every setting has every corpus.

    Attributes:
      settings: setting → corpus → its scores; the first setting is the reference of the others.
      corpora: names in the order of the tables.
    """

    settings: Mapping[str, Mapping[str, Sequence[Scored]]]
    corpora: Sequence[str]

    @property
    def first(self) -> str:
        """Setting that the others are compared with."""
        return next(iter(self.settings))

    @property
    def others(self) -> list[str]:
        """Settings other than the first."""
        return list(self.settings)[1:]

    def runs(self) -> list[Scored]:
        """Return every score of every setting."""
        return [
            one
            for corpora in self.settings.values()
            for scored in corpora.values()
            for one in scored
        ]

    def having(self, corpus: str) -> list[str]:
        """Return the settings that have a corpus."""
        return [setting for setting, scored in self.settings.items() if corpus in scored]

    def chance(self, corpus: str) -> float:
        """Return the UAR of guessing in percent; all settings have the same test clips."""
        return 100 * self.settings[self.having(corpus)[0]][corpus][0].result["chance"]

    def few_speakers(self, setting: str, corpus: str) -> str:
        """The mark of a score of too few speakers, if a run of this setting is one."""
        return max(few_speakers(one.speakers) for one in self.settings[setting][corpus])

    def marked_corpora(self) -> list[str]:
        """The corpora, with that mark where any setting has it."""
        return [
            name + max(self.few_speakers(setting, name) for setting in self.having(name))
            for name in self.corpora
        ]

    def common(self) -> list[str]:
        """Return the corpora that every setting has; means are comparable only over these."""
        return [name for name in self.corpora if len(self.having(name)) == len(self.settings)]

    def uars(self, setting: str, corpus: str, part: str) -> list[float]:
        """Return the UAR in percent of each seed that has one."""
        return [*_uar_by_seed(self.settings[setting].get(corpus, ()), part).values()]

    def uar(self, setting: str, corpus: str, part: str) -> float | None:
        """Return the mean UAR over the seeds in percent; None if no seed has one."""
        uars = self.uars(setting, corpus, part)
        return fmean(uars) if uars else None

    def deviation(self, setting: str, corpus: str, part: str) -> float | None:
        """Return the standard deviation of UAR over two seeds or more, in percentage points."""
        uars = self.uars(setting, corpus, part)
        return stdev(uars) if len(uars) > 1 else None

    def difference(self, setting: str, corpus: str, part: str) -> float | None:
        """Return the mean percentage points above the first setting, over seeds that both have.

        Other seeds may have other speakers in their parts. Without a common seed it is None.
        """
        own, first = (
            _uar_by_seed(self.settings[one].get(corpus, ()), part) for one in (setting, self.first)
        )
        points = [own[seed] - first[seed] for seed in own if seed in first]
        return fmean(points) if points else None

    def both(self, setting: str) -> list[str]:
        """Return the corpora that this setting and the first one have."""
        return [name for name in self.corpora if {setting, self.first} <= set(self.having(name))]

    def paired(self, setting: str, corpus: str) -> tuple[Scored, Scored] | None:
        """Return a run of this setting and one of the first, with the first seed that both have.

        Another seed may be tested on other clips. Without a common seed it is None.
        """
        own, first = (self.settings[one].get(corpus, ()) for one in (setting, self.first))
        return next(((a, b) for a in own for b in first if a.seed == b.seed), None)

    def compared(self, setting: str) -> dict[str, Comparison]:
        """Compare this setting (A) with the first (B) on each corpus, with one run of each.

        Raises:
          ValueError: they were not tested on the same clips.
        """
        pairs = {name: pair for name in self.both(setting) if (pair := self.paired(setting, name))}
        predictions = {name: (a.predictions, b.predictions) for name, (a, b) in pairs.items()}
        return {one.corpus: one for one in compare_predictions(predictions, (setting, self.first))}

    def stochastic_order(self, setting: str) -> dict[str, float]:
        """Return ε_min of this setting over the first on test, by corpus with two seeds in both."""
        both = self.both(setting)
        scores = {
            name: (self.uars(setting, name, "test"), self.uars(self.first, name, "test"))
            for name in both
        }
        enough = {name: pair for name, pair in scores.items() if min(map(len, pair)) > 1}
        return {name: almost_stochastic_order(*pair, len(enough)) for name, pair in enough.items()}


def _uar_by_seed(scored: Sequence[Scored], part: str) -> dict[int, float]:
    """Return the UAR in percent by seed, for seeds that have one."""
    fractions = {
        one.seed: one.devel_uar if part == "devel" else one.result["uar"] for one in scored
    }
    return {seed: 100 * fraction for seed, fraction in fractions.items() if fraction is not None}


def read_grid(workdirs: Mapping[str, Sequence[Path]], corpora: Sequence[str] = ()) -> Grid:
    """Read the runs of all settings.

    Args:
      workdirs: setting → its work directories.
      corpora: names of corpora to keep; all, if empty.

    Raises:
      ValueError: a run has no results, or a corpus is in no run.
    """
    settings = {setting: read_setting(setting, some) for setting, some in workdirs.items()}
    found = list(dict.fromkeys(name for scored in settings.values() for name in scored))
    unknown = [name for name in corpora if name not in found]
    if unknown or not found:
        asked = ", ".join(map(repr, unknown)) or "of any name"
        raise ValueError(f"corpus {asked} is in no run; choose of {', '.join(found) or 'none'}")
    kept = list(dict.fromkeys(corpora)) or found
    kept_of = {
        setting: {name: runs for name, runs in scored.items() if name in kept}
        for setting, scored in settings.items()
    }
    return Grid(kept_of, kept)
