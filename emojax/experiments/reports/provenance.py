"""Provenance of the scores of finished runs: protocols, seeds, settings and versions."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emojax.evaluation.metrics import speaker_dependent
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.score_grid import Grid
from emojax.experiments.reports.table import Cell, Table

# Columns of a table for the most important settings of a network.
NETWORK = {"width": "d", "learning rates": "", "rounds a phase": ",d"}
_RUNS = {
    "setting": "",
    "run": "",
    "corpora": "",
    "mode": "",
    "state": "",
    "seed": "d",
    "step": ",d",
}
_RUNS |= {**NETWORK, "utterance": "", "commit": "", "command": ""}
# Classifier of emojax.baselines.svm → parts over which it standardises the features.
_STANDARDISED_OVER = {"linear": "train", "rbf": "train and devel", "rbf_cv": "train and devel"}


def network_settings(config: Mapping) -> tuple[Cell, ...]:
    """Return the values of the columns ``NETWORK``; those that a run does not note are empty.

    >>> network_settings(
    ...     {"width": 32, "learning_rates": [0.1, 0.01], "rounds_per_phase": 2500, "seed": 0}
    ... )
    (32, '0.1, 0.01', 2500)
    """
    rates = ", ".join(map(str, config.get("learning_rates", ())))
    return config.get("width"), rates, config.get("rounds_per_phase")


def score_report(
    grid: Grid,
    name: str,
    title: str,
    selection: str,
    pieces: Sequence[Table | Picture],
    missing: str,
    runs: Grid | None = None,
) -> Report:
    """Return a report on finished runs, with the protocols, seeds, settings and versions they note.

    Its title and captions say where a score is speaker-dependent.

    Args:
      grid: scores of the runs.
      name: name of the experiment.
      title: one line.
      selection: rule by which a state was chosen.
      pieces: tables and pictures in the order of the page.
      missing: text on the missing runs.
      runs: runs behind the grid, if it merges several of them.
    """
    runs = runs or grid
    protocols = _protocols(grid)
    dependent = speaker_dependent(protocols)
    shown = [dataclasses.replace(one, caption=one.caption + dependent) for one in pieces]
    return Report(
        name=name,
        title=title + dependent,
        protocol=protocols,
        seeds=_seeds(runs),
        normalisation=normalisation(runs),
        selection=selection,
        pieces=[*shown, _runs_table(runs)],
        missing=missing,
        run_versions=_versions(runs),
        caution=_caution(grid),
    )


def _caution(grid: Grid) -> str:
    marked = [
        name
        for name, shown in zip(grid.corpora, grid.marked_corpora(), strict=True)
        if name != shown
    ]
    few = "fewer than five speakers are tested, which says little about others"
    return f"{', '.join(marked)}: {few}" if marked else ""


def _protocols(grid: Grid) -> str:
    """List the protocols, and the corpora that were tested by each."""
    tested: dict[str, list[str]] = defaultdict(list)
    for name in grid.corpora:
        runs = [one for setting in grid.having(name) for one in grid.settings[setting][name]]
        for protocol in dict.fromkeys(one.result["protocol"] for one in runs):
            tested[protocol].append(name)
    return "; ".join(f"{', '.join(names)}: {protocol}" for protocol, names in tested.items())


def normalisation(grid: Grid) -> str:
    """Describe the standardisation of the input; per speaker uses all clips of tested speakers."""
    said = ["Networks: each utterance over itself."]
    for classifier, parts in _STANDARDISED_OVER.items():
        if names := _settings_with(grid, "classifier", classifier):
            said.append(f"SVMs ({names}): each feature over {parts}.")
    return " ".join(
        [*said, f"Per speaker: {_settings_with(grid, 'speaker_normalisation', True) or 'none'}."]
    )


def _settings_with(grid: Grid, key: str, value: str | bool) -> str:
    """List the settings in which the config of a run has this value."""
    return ", ".join(
        setting
        for setting, scored in grid.settings.items()
        if any(one.run["config"].get(key) == value for runs in scored.values() for one in runs)
    )


def _seeds(grid: Grid) -> str:
    """List the seeds of the runs; they also decide partitions that are not published."""
    found = sorted({one.seed for one in grid.runs()})
    return f"{', '.join(map(str, found))}; one run of each corpus in each setting with each seed."


def _versions(grid: Grid) -> str:
    """List the software versions that the runs note, and the settings scored with each."""
    settings: dict[str, dict[str, None]] = defaultdict(dict)
    for setting, scored in grid.settings.items():
        for one in itertools.chain.from_iterable(scored.values()):
            noted = ", ".join(f"{name} {number}" for name, number in one.run["versions"].items())
            settings[noted or "not noted"][setting] = None
    listed = "; ".join(f"{', '.join(names)}: {noted}" for noted, names in settings.items())
    return (
        f"{listed}. Noted when they were scored; of networks, emojax is the one that trained them."
    )


def _runs_table(grid: Grid) -> Table:
    """Return a table of how each run was trained and scored."""
    rows = [row for setting in grid.settings for row in _runs_of(grid, setting)]
    return Table("runs", "The runs behind these numbers", _RUNS, rows)


def _runs_of(grid: Grid, setting: str) -> Iterable[list[Cell]]:
    corpora: dict[Path, list[str]] = defaultdict(list)
    runs = {}
    for name, scored in grid.settings[setting].items():
        for one in scored:
            corpora[one.workdir].append(name)
            runs[one.workdir] = one.run
    for workdir, run in runs.items():
        config = run["config"]
        mode = config.get("transfer") or config.get("features", "")
        how = (
            *network_settings(config),
            run["utterance"],
            run.get("commit") or "unknown",
            run["command"],
        )
        what = "/".join(workdir.parts[-2:]), ", ".join(corpora[workdir]), mode
        yield [setting, *what, run.get("state", ""), config["seed"], run["step"], *how]
