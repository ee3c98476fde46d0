"""Score files of an evaluation: ``results.json``, ``predictions.csv`` and the printed table."""

from __future__ import annotations

import csv
import dataclasses
import glob
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np

from emojax.corpora.spec import Clip
from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE, CorpusResult, few_speakers
from emojax.files import printable, replacing, write_csv

NUMBERS_FILE = "numbers.csv"  # instead of predictions.csv, for domains of numbers


@dataclasses.dataclass(frozen=True)
class Prediction:
    """Prediction for one tested clip: a row of ``predictions.csv``.

    ``speaker`` is empty where unknown; ``label`` is the truth; ``probabilities`` maps each label to
    0..1.
    """

    corpus: str
    file: str
    speaker: str
    label: str
    prediction: str
    probabilities: Mapping[str, float]


def prediction_rows(
    corpus: str,
    clips: Sequence[Clip],
    labels: Sequence[str],
    truth: np.ndarray,
    predicted: np.ndarray,
    probabilities: np.ndarray,
) -> list[Prediction]:
    """Return the rows of the tested clips of a corpus.

    Args:
      corpus: name of the corpus.
      clips: N clips.
      labels: K labels.
      truth: int ``[N]``, 0..K-1.
      predicted: likewise.
      probabilities: float ``[N, P]``, of the first P labels, or of none.
    """
    known = labels[: probabilities.shape[1]]
    return [
        Prediction(
            corpus,
            clip.file,
            clip.speaker,
            labels[true],
            labels[best],
            dict(zip(known, map(float, row), strict=True)),
        )
        for clip, true, best, row in zip(clips, truth, predicted, probabilities, strict=True)
    ]


def table(results: Sequence[CorpusResult]) -> str:
    """Format results as plain text in percent: a row per corpus, the mean UAR and footnotes.

    >>> from emojax.evaluation.metrics import score
    >>> truth = [0, 1] * 100
    >>> print(table([score("demo", "test on a", ["angry", "calm"], truth, truth, ["a"] * 200)]))
    corpus      n  chance    UAR  95 % interval     WAR     F1  protocol
    demo†     200    50.0  100.0  [100.0, 100.0]  100.0  100.0  test on a
    mean UAR               100.0
    Percent; 95 % bootstrap interval of UAR over clips: demo.
    † fewer than five speakers: says little about others.
    """
    rows: list[tuple[str, ...]] = [
        ("corpus", "n", "chance", "UAR", "95 % interval", "WAR", "F1", "protocol")
    ]
    for r in results:
        chance, uar, low, high, war, f1 = (
            f"{100 * value:.1f}" for value in (r.chance, r.uar, *r.uar_ci95, r.war, r.macro_f1)
        )
        mark = " *" if r.uar_ci95[0] <= r.chance else ""
        rows.append((r.title, str(r.n), chance, uar, f"[{low}, {high}]{mark}", war, f1, r.protocol))
    any_synthetic = any("(synthetic speech)" in r.title for r in results)
    synthetic = " (synthetic speech included)" if any_synthetic else ""
    mean = f"{100 * fmean(r.uar for r in results):.1f}"
    rows.append((f"mean UAR{synthetic}", "", "", mean, *[""] * 4))
    return as_text(rows, "<>>><>><", _footnotes(results))


def as_text(rows: Sequence[Sequence[str]], sides: str, notes: Iterable[str]) -> str:
    """Format rows in aligned columns (``<`` for text, ``>`` for numbers), and notes below them.

    Names come from elsewhere, so control characters are escaped.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    cells = "  ".join(f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True))
    lines = [cells.format(*row).rstrip() for row in rows]
    return "\n".join(map(printable, [*lines, *notes]))


def _footnotes(results: Sequence[CorpusResult]) -> list[str]:
    """Return notes on the intervals and on results that are not above chance."""
    notes = []
    for what in ("speakers", "clips"):
        corpora = ", ".join(r.corpus for r in results if r.ci_over == what)
        if corpora:
            notes.append(f"Percent; 95 % bootstrap interval of UAR over {what}: {corpora}.")
    if any(r.uar_ci95[0] <= r.chance for r in results):
        notes.append("* The interval does not lie above chance.")
    if any(few_speakers(r.speakers) for r in results):
        notes.append(FEW_SPEAKERS_NOTE)
    return notes


def write_results(
    results: Sequence[CorpusResult],
    workdir: str | Path,
    provenance: Mapping,
    numbers: Mapping[str, Mapping] | None = None,
) -> Path:
    """Write ``results.json`` atomically into the work directory and return its path.

    Args:
      results: results of all corpora, written as ``corpora.<name>``; their mean UAR is written
        as ``mean_uar``, null without any.
      workdir: an existing folder.
      provenance: plain JSON types for the top level of the file, such as commit and command.
      numbers: domain of numbers → its scores, written as ``numbers.<name>``.
    """
    path = Path(workdir) / "results.json"
    content = {
        **provenance,
        "mean_uar": fmean(r.uar for r in results) if results else None,
        "corpora": {r.corpus: r.to_json() for r in results},
        **({"numbers": numbers} if numbers else {}),
    }
    with replacing(path) as draft:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        draft.write_text(text + "\n", encoding="utf-8")
    return path


def write_predictions(rows: Iterable[Prediction], path: str | Path) -> None:
    """Write a CSV atomically, with a row per tested clip; probabilities are a JSON object."""
    header = (field.name for field in dataclasses.fields(Prediction))
    write_csv(Path(path), header, map(_cells, rows))


def _cells(row: Prediction) -> tuple[str, ...]:
    rounded = {label: round(float(p), 6) for label, p in row.probabilities.items()}
    probabilities = json.dumps(rounded, ensure_ascii=False, allow_nan=False)
    return row.corpus, row.file, row.speaker, row.label, row.prediction, probabilities


def read_predictions(path: str | Path) -> list[Prediction]:
    """Read what :func:`write_predictions` wrote.

    Raises:
      ValueError: the file is missing, invalid or empty.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [
                Prediction(**{**row, "probabilities": json.loads(row["probabilities"])})
                for row in csv.DictReader(file)
            ]
        if not rows:
            raise ValueError("it has no rows")
        return rows
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        numbers = Path(path).with_name(NUMBERS_FILE).exists()
        hint = "; there are numbers only, which cannot be compared" * numbers
        raise ValueError(
            f"{path} is no predictions.csv of evaluate.py or baseline.py ({error}){hint}"
        ) from error


def read_protocols(workdir: Path) -> dict[str, str]:
    """Read each corpus's protocol from ``results.json``; empty where the file is missing.

    Raises:
      ValueError: the file is invalid.
    """
    path = workdir / "results.json"
    if not path.is_file():
        return {}
    try:
        corpora = json.loads(path.read_text("utf-8"))["corpora"]
        return {name: str(result["protocol"]) for name, result in corpora.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no results.json of evaluate.py or baseline.py") from error


def parse_workdirs(items: Sequence[str]) -> dict[str, list[Path]]:
    """Parse ``NAME=FOLDER`` items into setting → work directories.

    Args:
      items: texts ``NAME=FOLDER``; a folder may be a pattern (``runs/scratch_*``), and a name may
        be repeated.

    Raises:
      ValueError: an item has another form, or a pattern matches no folder.
    """
    settings: dict[str, list[Path]] = defaultdict(list)
    for item in filter(None, map(str.strip, items)):
        name, _, pattern = item.partition("=")
        if not (name and pattern):
            raise ValueError(f"{item!r} names no setting; give --workdirs=NAME=FOLDER,NAME=FOLDER")
        folders = sorted(filter(Path.is_dir, map(Path, glob.glob(str(Path(pattern).expanduser())))))
        if not folders:
            raise ValueError(f"{pattern}: there is no such folder{finished_near(Path(pattern))}")
        settings[name] += folders
    return dict(settings)


def finished_near(folder: Path) -> str:
    """Return the end of an error message that lists finished runs in a folder or beside it."""
    for place in (folder, folder.parent):
        there = sorted(str(path.parent) for path in place.glob("*/results.json"))
        if there:
            return f"; finished are {', '.join(there)}"
    return ""
