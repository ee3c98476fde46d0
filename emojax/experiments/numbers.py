"""Numbers that finished runs predict: the CCC of each column over the clips of all folds."""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE, few_speakers, speaker_dependent
from emojax.evaluation.number_files import PredictedNumber, read_numbers
from emojax.evaluation.number_scores import NumbersResult, score_numbers
from emojax.evaluation.score_files import NUMBERS_FILE
from emojax.experiments.reports.report import Report
from emojax.experiments.reports.table import Cell, Marked, Table

MEAN = "mean"
_SELECTION = (
    "In each fold, the best mean CCC on its devel part: of a network's states, of an SVR's C; the "
    "last state where all but the test part is learnt from. Settings were not chosen by these "
    "figures: every clip is tested here, so a setting that is chosen by them has no test left."
)
_NOTE = (
    "CCC: concordance over the tested clips of all folds together; in brackets its 95 % bootstrap "
    "interval over speakers, or over clips where fewer than five speak."
)


@dataclasses.dataclass
class _Tested:
    """Predicted numbers of a domain in one setting.

    Attributes:
      rows: file and column → the row of its clip, in the order of the runs.
      protocols: of the folds.
      seeds: of the runs.
    """

    rows: dict[tuple[str, str], PredictedNumber] = dataclasses.field(default_factory=dict)
    protocols: set[str] = dataclasses.field(default_factory=set)
    seeds: set[int] = dataclasses.field(default_factory=set)


def numbers_report(workdirs: Mapping[str, Sequence[Path]]) -> Report:
    """Score the folds of each domain of numbers as one, beside the other settings.

    Args:
      workdirs: setting → folders of its finished runs, each fold once and with one seed.

    Raises:
      ValueError: a run without numbers, a clip that is tested twice in a setting, or settings that
        did not test the same clips.
    """
    settings = {setting: _read(setting, folders) for setting, folders in workdirs.items()}
    domains = list(dict.fromkeys(name for tested in settings.values() for name in tested))
    scored = {name: _score(name, settings) for name in domains}
    tested = [one for found in settings.values() for one in found.values()]
    protocol = "; ".join(sorted(set().union(*(one.protocols for one in tested))))
    seeds = sorted(set().union(*(one.seeds for one in tested)))
    dependent = speaker_dependent(protocol)
    return Report(
        name="numbers",
        title=f"Numbers: {', '.join(settings)}{dependent}",
        protocol=protocol,
        seeds=f"{', '.join(map(str, seeds))}; one run of each fold in each setting.",
        normalisation="Networks: each utterance over itself. SVRs: each feature over train.",
        selection=_SELECTION,
        pieces=[_table(list(settings), scored, dependent)],
    )


def _read(setting: str, folders: Iterable[Path]) -> dict[str, _Tested]:
    """Read the runs of a setting: domain → its numbers."""
    found: dict[str, _Tested] = defaultdict(_Tested)
    for folder in folders:
        seed, protocols = _facts(folder)
        for row in read_numbers(folder / NUMBERS_FILE):
            if row.corpus not in protocols:
                raise ValueError(
                    f"{folder}: {row.corpus} is in {NUMBERS_FILE} but not in results.json; score "
                    "the run again"
                )
            own, key = found[row.corpus], (row.file, row.column)
            if key in own.rows:
                raise ValueError(
                    f"{setting}: {row.corpus}, {row.file} is tested by {folder} and by another "
                    "run; give each fold once, with one seed"
                )
            own.rows[key] = row
            own.protocols.add(protocols[row.corpus])
            own.seeds.add(seed)
    return dict(found)


def _facts(folder: Path) -> tuple[int, dict[str, str]]:
    """Return a run's seed and the protocol of each of its domains of numbers."""
    path = folder / "results.json"
    try:
        run = json.loads(path.read_text("utf-8"))
        if run["part"] != "test":
            raise ValueError(f"it is of the {run['part']} part")
        protocols = {name: str(own["protocol"]) for name, own in run["numbers"].items()}
        return int(run["config"]["seed"]), protocols
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path}: no scores of numbers there ({type(error).__name__}: {error}); give folders "
            "that evaluate.py or baseline.py --columns=... wrote"
        ) from error


def _score(name: str, settings: Mapping[str, Mapping[str, _Tested]]) -> dict[str, NumbersResult]:
    """Score a domain in each setting."""
    having = {setting: tested[name] for setting, tested in settings.items() if name in tested}
    (first, reference), *_ = having.items()
    keys = reference.rows.keys()
    for setting, one in having.items():
        if one.rows.keys() != keys:
            raise ValueError(
                f"{setting} tested {len(one.rows)} numbers of {name}, and {first} "
                f"{len(keys)}, or others; give the same folds of each"
            )
        changed = [key for key in keys if one.rows[key].truth != reference.rows[key].truth]
        if changed:
            raise ValueError(
                f"{setting} and {first} have other true numbers of {name}, such as "
                f"{' of '.join(changed[0][::-1])}; score both on the corpus as it is"
            )
    return {setting: _result(name, one, keys) for setting, one in having.items()}


def _result(name: str, tested: _Tested, keys: Iterable[tuple[str, str]]) -> NumbersResult:
    """Score one setting; clips and columns are in the order of ``keys``."""
    files, columns = (list(dict.fromkeys(names)) for names in zip(*keys, strict=True))
    if len(tested.rows) != len(files) * len(columns):
        raise ValueError(f"{name}: not every clip has all of {', '.join(columns)}; score it again")
    rows = [[tested.rows[file, column] for column in columns] for file in files]
    truth, predicted = (
        np.array([[getattr(one, what) for one in row] for row in rows])
        for what in ("truth", "prediction")
    )
    speakers = [row[0].speaker for row in rows]
    protocol = "; ".join(sorted(tested.protocols))
    return score_numbers(name, protocol, columns, truth, predicted, speakers)


def _table(
    settings: Sequence[str], scored: Mapping[str, Mapping[str, NumbersResult]], dependent: str
) -> Table:
    rows: list[list[Cell]] = []
    for name, results in scored.items():
        (one, *_) = results.values()
        columns = [own.column for own in one.columns]
        for place, column in enumerate([*columns, MEAN] if len(columns) > 1 else columns):
            cells = [_cell(results.get(setting), place) for setting in settings]
            rows.append([f"{name}{few_speakers(one.speakers)}", column, one.n, *cells])
    few = any(few_speakers(one.speakers) for found in scored.values() for one in found.values())
    return Table(
        "numbers",
        f"CCC over the pooled test clips of all folds{dependent}",
        {"numbers": "", "column": "", "clips": ",d"} | dict.fromkeys(settings, ".3f"),
        rows,
        notes=[_NOTE, *[FEW_SPEAKERS_NOTE] * few],
    )


def _cell(result: NumbersResult | None, place: int) -> Cell:
    """Return a CCC with its interval; after the last column, the mean's."""
    if result is None:
        return None
    ccc, (low, high) = result.mean_ccc, result.mean_ccc_ci95
    if place < len(result.columns):
        own = result.columns[place]
        ccc, (low, high) = own.ccc, own.ccc_ci95
    return Marked(ccc, f" [{low:.3f}, {high:.3f}]")
