"""Pooled folds of a recipe, for the model card."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE, few_speakers
from emojax.export.markdown import escaped, percent, table
from emojax.export.unseen import check_scores, read_json
from emojax.files import printable

_AGAIN = "run python -m emojax.experiments pooled again"


@dataclasses.dataclass(frozen=True)
class Pooled:
    """Scores of clips that were tested once each, by networks that never heard their speakers.

    Attributes:
      settings: setting → corpus → scores; the first is the recipe's.
    """

    settings: Mapping[str, Mapping[str, Mapping]] = dataclasses.field(default_factory=dict)

    @property
    def first(self) -> Mapping[str, Mapping]:
        """Corpus → scores of the first setting; empty without any."""
        return next(iter(self.settings.values()), {})


def read_pooled(path: Path) -> Pooled:
    """Read ``pooled.json`` of ``python -m emojax.experiments pooled``.

    Raises:
      ValueError: there is no such file, or it is not what the experiment writes.
    """
    settings = read_json(path).get("settings")
    if not isinstance(settings, dict) or not settings:
        raise ValueError(printable(f"--pooled={path}: no scores there; give OUT/pooled.json"))
    for scores in settings.values():
        check_scores({"corpora": scores}, path, _AGAIN)
    return Pooled(settings)


def pooled_text(pooled: Pooled) -> str:
    """Return the table of the first setting beside the others."""
    if not pooled.settings:
        return "Not measured."
    settings = pooled.settings.values()
    rows = [
        _row(name, own, [scores.get(name) for scores in [*settings][1:]])
        for name, own in pooled.first.items()
    ]
    common = [name for name in pooled.first if all(name in scores for scores in settings)]
    if common:
        means = [percent(fmean(scores[name]["uar"] for name in common)) for scores in settings]
        rows.append([f"mean of {len(common)}", means[0], "", *means[1:], *[""] * 4])
    first, *others = (escaped(f"UAR: {name}") for name in pooled.settings)
    counts = ["chance", "clips", "speakers", "protocol"]
    return (
        f"{table(['corpus', first, '95 % interval', *others, *counts], rows)}\n\nPercent, of other "
        "networks than this one, which may differ from it in their settings; none heard the "
        f"speakers of the clips that it was tested on. {FEW_SPEAKERS_NOTE}"
    )


def _row(name: str, own: Mapping, others: list[Mapping | None]) -> list[str]:
    low, high = map(percent, own["uar_ci95"])
    beside = [percent(one["uar"]) if one else "" for one in others]
    speakers = "unknown" if own["speakers"] is None else str(own["speakers"])
    counts = percent(own["chance"]), str(own["n"]), speakers, own["protocol"]
    marked = f"{name}{few_speakers(own['speakers'])}"
    return [marked, percent(own["uar"]), f"{low} to {high}", *beside, *counts]
