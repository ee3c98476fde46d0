"""Settings by corpora: what was scored where, beside the first setting."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from emojax.evaluation.compare import Comparison, compare_predictions
from emojax.experiments.finished import Scored, read_settings

PARTS = ("devel", "test")


@dataclasses.dataclass(frozen=True)
class Grid:
    """Setting → corpus → score; not every setting has every corpus.

    Attributes:
      settings: the first one is what the others are compared with.
      corpora: in the order of the tables.
    """

    settings: Mapping[str, Mapping[str, Scored]]
    corpora: Sequence[str]

    @property
    def first(self) -> str:
        """The setting that the others are compared with."""
        return next(iter(self.settings))

    @property
    def others(self) -> list[str]:
        """The other settings."""
        return list(self.settings)[1:]

    def having(self, corpus: str) -> list[str]:
        """The settings that have a corpus."""
        return [setting for setting, scored in self.settings.items() if corpus in scored]

    def chance(self, corpus: str) -> float:
        """UAR of guessing, in percent; the same in all settings, which have the same test clips."""
        return 100 * self.settings[self.having(corpus)[0]][corpus].result["chance"]

    def common(self) -> list[str]:
        """The corpora that every setting has, over which alone means can be compared."""
        return [name for name in self.corpora if len(self.having(name)) == len(self.settings)]

    def uar(self, setting: str, corpus: str, part: str) -> float | None:
        """UAR in percent, if there is one."""
        scored = self.settings[setting].get(corpus)
        if scored is None:
            return None
        fraction = scored.devel_uar if part == "devel" else scored.result["uar"]
        return None if fraction is None else 100 * fraction

    def difference(self, setting: str, corpus: str, part: str) -> float | None:
        """Percentage points above the first setting, if both have the corpus."""
        first, own = self.uar(self.first, corpus, part), self.uar(setting, corpus, part)
        return None if first is None or own is None else own - first

    def compared(self, setting: str) -> dict[str, Comparison]:
        """Corpus → this setting (A) compared with the first (B) on the corpora that both have.

        Raises:
          ValueError: they were not tested on the same clips.
        """
        a, b = self.settings[setting], self.settings[self.first]
        both = [name for name in self.corpora if name in a and name in b]
        pairs = {name: (a[name].predictions, b[name].predictions) for name in both}
        return {one.corpus: one for one in compare_predictions(pairs, (setting, self.first))}


def read_grid(workdirs: Mapping[str, Sequence[Path]], corpora: Sequence[str] = ()) -> Grid:
    """Read the runs of all settings.

    Args:
      workdirs: setting → its work directories.
      corpora: those to keep; all, if empty.

    Raises:
      ValueError: fewer than two settings, a run without results, or a corpus that no run has.
    """
    if len(workdirs) < 2:
        raise ValueError(
            f"--workdirs names {len(workdirs)} settings; give two or more, first the one to compare with: "
            "--workdirs=scratch=FOLDER,shared=FOLDER"
        )
    settings = read_settings(workdirs)
    found = list(dict.fromkeys(name for scored in settings.values() for name in scored))
    unknown = [name for name in corpora if name not in found]
    if unknown:
        raise ValueError(f"corpus {', '.join(map(repr, unknown))} is in no run; choose of {', '.join(found)}")
    return Grid(settings, list(dict.fromkeys(corpora)) or found)
