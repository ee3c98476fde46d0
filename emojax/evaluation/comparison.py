"""Comparison of two systems on the same clips: difference of UAR, its interval and p-values."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emojax.evaluation.metrics import (
    FEW_SPEAKERS_NOTE,
    count_speakers,
    few_speakers,
    speaker_dependent,
    uar_difference,
    unweighted_recall,
)
from emojax.evaluation.score_files import Prediction, as_text, read_predictions, read_protocols
from emojax.evaluation.statistics import holm, mcnemar

# File → prediction.
Predictions = dict[str, Prediction]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Comparison of systems A and B on one corpus; fractions, not percent.

    Attributes:
      corpus: name of the corpus.
      n: number of clips that both systems predicted.
      uar_a: unweighted average recall (UAR) of A.
      uar_b: UAR of B.
      difference: UAR of A minus UAR of B.
      ci95: lower and upper end of the paired 95 % bootstrap interval of the difference.
      ci_over: unit that the bootstrap resampled, ``"speakers"`` or ``"clips"``.
      exact_p: p-value of McNemar's exact test that both are right equally often; conservative.
      mid_p: mid-p variant of the same test.
      holm_p: mid-p, corrected by Holm for the number of corpora.
      speakers: number of speakers of the clips; None if some are unknown.
      protocol: one line on who was tested; empty if A does not say it.
    """

    corpus: str
    n: int
    uar_a: float
    uar_b: float
    difference: float
    ci95: tuple[float, float]
    ci_over: str
    exact_p: float
    mid_p: float
    holm_p: float
    speakers: int | None
    protocol: str = ""


def compare(systems: Mapping[str, Sequence[Path]]) -> list[Comparison]:
    """Compare the ``predictions.csv`` of two systems on the corpora that both have.

    Args:
      systems: name → work directories; first of A, then of B.

    Raises:
      ValueError: a file is missing or invalid, a system has a corpus twice, no corpus is in both
        systems, or the clips of a corpus differ.
    """
    a, b = (_all_predictions(name, workdirs) for name, workdirs in systems.items())
    names = list(systems)
    common = [corpus for corpus in a if corpus in b]
    if not common:
        raise ValueError(
            f"no corpus is in both: {names[0]} has {', '.join(a)}, {names[1]} has {', '.join(b)}"
        )
    found = compare_predictions({corpus: (a[corpus], b[corpus]) for corpus in common}, names)
    protocols: dict[str, str] = {}
    for workdir in systems[names[0]]:
        protocols |= read_protocols(workdir)
    return [dataclasses.replace(one, protocol=protocols.get(one.corpus, "")) for one in found]


def _all_predictions(name: str, workdirs: Sequence[Path]) -> dict[str, Predictions]:
    found: dict[str, Predictions] = {}
    for workdir in workdirs:
        predictions = predictions_of(workdir)
        twice = [corpus for corpus in predictions if corpus in found]
        if twice:
            raise ValueError(
                f"{name}: corpus {twice[0]} is in several of its folders; give each corpus once"
            )
        found |= predictions
    return found


def compare_predictions(
    pairs: Mapping[str, tuple[Predictions, Predictions]], names: Sequence[str | Path]
) -> list[Comparison]:
    """Compare two systems on these corpora.

    Args:
      pairs: corpus → predictions of A and of B.
      names: names of A and B, for error messages.

    Raises:
      ValueError: the clips of a corpus differ.
    """
    found = [_compare(corpus, a, b, names) for corpus, (a, b) in pairs.items()]
    if not found:
        return []
    adjusted = holm([comparison.mid_p for comparison in found])
    return [
        dataclasses.replace(one, holm_p=float(p)) for one, p in zip(found, adjusted, strict=True)
    ]


def predictions_of(workdir: Path) -> dict[str, Predictions]:
    """Read the ``predictions.csv`` of a work directory: corpus → file → prediction.

    Raises:
      ValueError: the file is missing or invalid, or has a clip twice.
    """
    path = workdir / "predictions.csv"
    corpora: dict[str, Predictions] = defaultdict(dict)
    for row in read_predictions(path):
        if row.file in corpora[row.corpus]:
            raise ValueError(
                f"{path}: {row.file} of corpus {row.corpus} is there twice; score the run again"
            )
        corpora[row.corpus][row.file] = row
    return corpora


def _compare(
    corpus: str, a: Predictions, b: Predictions, names: Sequence[str | Path]
) -> Comparison:
    """Compare two systems on one corpus; ``holm_p`` is not corrected yet."""
    differ = sorted(
        file for file in a.keys() | b.keys() if _truth(a.get(file)) != _truth(b.get(file))
    )
    if differ:
        raise ValueError(
            f"corpus {corpus}: {names[0]} has {len(a)} clips and {names[1]} {len(b)}; "
            f"{len(differ)} of them are not in both with one label, such as {differ[0]}; "
            "score both on the same partition"
        )
    labels, truth = np.unique([row.label for row in a.values()], return_inverse=True)
    number = {label: i for i, label in enumerate(labels)}
    # A predicted label that is no clip's true label gets -1, which is always wrong.
    predicted_a, predicted_b = (
        np.array([number.get(rows[file].prediction, -1) for file in a]) for rows in (a, b)
    )
    speakers = [row.speaker for row in a.values()]
    difference, ci95, over = uar_difference(truth, predicted_a, predicted_b, speakers)
    uar_a, uar_b = (unweighted_recall(truth, predicted) for predicted in (predicted_a, predicted_b))
    p = mcnemar(truth == predicted_a, truth == predicted_b)
    scores = uar_a, uar_b, difference, ci95, over
    p_values = p.exact_p, p.mid_p, p.mid_p
    return Comparison(corpus, len(a), *scores, *p_values, count_speakers(speakers))


def _truth(row: Prediction | None) -> str | None:
    return row.label if row else None


def comparison_table(comparisons: Sequence[Comparison]) -> str:
    """Format the comparisons as plain text, UAR in percent: a row per corpus, then footnotes.

    >>> demo = Comparison("demo", 90, 0.7, 0.6, 0.1, (0.02, 0.18), "clips", 0.05, 0.03, 0.03, 9)
    >>> print(comparison_table([demo]))
    corpus   n     A     B  A - B  95 % interval  exact p   mid-p    Holm
    demo    90  70.0  60.0  +10.0  [+2.0, +18.0]   0.0500  0.0300  0.0300
    UAR in percent; paired 95 % bootstrap interval over clips: demo.
    p of McNemar's test that both are right equally often: exact, mid-p, and mid-p by Holm for 1
    corpora.
    """
    heads = ("corpus", "n", "A", "B", "A - B", "95 % interval", "exact p", "mid-p", "Holm")
    rows: list[tuple[str, ...]] = [heads]
    for c in comparisons:
        low, high = (f"{100 * end:+z.1f}" for end in c.ci95)
        uars = f"{100 * c.uar_a:.1f}", f"{100 * c.uar_b:.1f}", f"{100 * c.difference:+z.1f}"
        p_values = (f"{p:.4f}" if p >= 1e-4 else "<0.0001" for p in (c.exact_p, c.mid_p, c.holm_p))
        name = c.corpus + speaker_dependent(c.protocol) + few_speakers(c.speakers)
        rows.append((name, str(c.n), *uars, f"[{low}, {high}]", *p_values))
    notes = [
        f"UAR in percent; paired 95 % bootstrap interval over {what}: {', '.join(corpora)}."
        for what in ("speakers", "clips")
        if (corpora := [c.corpus for c in comparisons if c.ci_over == what])
    ]
    notes.append(
        "p of McNemar's test that both are right equally often: exact, mid-p, and mid-p by Holm "
        f"for {len(comparisons)} corpora."
    )
    if any(few_speakers(c.speakers) for c in comparisons):
        notes.append(FEW_SPEAKERS_NOTE)
    return as_text(rows, "<>>>>>>>>", notes)
