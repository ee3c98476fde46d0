"""What every report on finished runs shows: UAR of each setting on each corpus, and how it came about."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from matplotlib.figure import Figure

from emojax.evaluation.statistics import critical_difference_figure, friedman_nemenyi
from emojax.experiments.reports.figures import heat_map
from emojax.experiments.reports.report import Picture
from emojax.experiments.reports.results import NETWORK, network_settings
from emojax.experiments.reports.score_grid import PARTS, Grid
from emojax.experiments.reports.table import Cell, Marked, Table

_RUNS = {"setting": "", "run": "", "corpora": "", "mode": "", "state": "", "seed": "d", "step": ",d"}
_RUNS |= {**NETWORK, "utterance": "", "commit": "", "command": ""}
# What each classifier of emojax.baselines.svm standardises the features over.
_STANDARDISED_OVER = {"linear": "train", "rbf": "train and devel"}


def score_table(
    grid: Grid,
    name: str,
    caption: str,
    mark: Callable[[str, str], str] = lambda setting, corpus: "",
    notes: Sequence[str] = (),
) -> Table:
    """A row per corpus, and devel and test UAR of each setting.

    Args:
      grid: the scores.
      name: of the files.
      caption: one line.
      mark: setting and corpus → what stands behind the test UAR.
      notes: lines below.
    """

    def row(corpus: str) -> list[Cell]:
        cells: list[Cell] = [corpus, grid.chance(corpus)]
        for setting in grid.settings:
            cells += [
                _cell(grid, setting, corpus, "devel", ""),
                _cell(grid, setting, corpus, "test", mark(setting, corpus)),
            ]
        return cells

    columns = {f"{setting} {part}": ".1f" for setting in grid.settings for part in PARTS}
    about = "UAR in percent; means are over the corpora that all settings have"
    several = any(len(runs) > 1 for scored in grid.settings.values() for runs in scored.values())
    about += "; ± is the standard deviation over seeds." if several else "."
    return Table(
        name,
        caption,
        {"corpus": "", "chance": ".1f", **columns},
        [row(corpus) for corpus in grid.corpora],
        _means(grid),
        [about, *notes],
    )


def rank_pictures(grid: Grid) -> Iterable[Picture]:
    """Mean ranks of three settings or more over five corpora or more; fewer say nothing."""
    names, settings = grid.common(), list(grid.settings)
    if len(settings) < 3 or len(names) < 5:
        return
    scores = [[grid.uar(setting, name, "test") for setting in settings] for name in names]
    ranking = friedman_nemenyi(np.array(scores, float), settings)
    caption = (
        f"Mean ranks of test UAR over {len(names)} corpora (1 is best); Friedman's test p = "
        f"{ranking.friedman_p:.4f}; a bar joins settings that Nemenyi's test does not tell apart at 0.05"
    )
    yield Picture("ranks", caption, critical_difference_figure(ranking))


def _cell(grid: Grid, setting: str, corpus: str, part: str, mark: str) -> Marked | None:
    uar, deviation = grid.uar(setting, corpus, part), grid.deviation(setting, corpus, part)
    spread = "" if deviation is None else f" ± {deviation:.1f}"
    return None if uar is None else Marked(uar, spread + mark)


def _means(grid: Grid) -> list[Cell]:
    """The foot: means over the corpora that all settings have; empty where there are none."""
    common = grid.common()
    if not common:
        return []
    means = [
        _mean([grid.uar(setting, name, part) for name in common])
        for setting in grid.settings
        for part in PARTS
    ]
    return [f"mean of {len(common)}", _mean([grid.chance(name) for name in common]), *means]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def score_map(
    grid: Grid,
    settings: Sequence[str],
    difference: Callable[[str, str, str], float | None],
    reference: str,
) -> Figure:
    """UAR of these settings in colours.

    Args:
      grid: the scores.
      settings: those to show.
      difference: setting, corpus and part → points above the reference.
      reference: its name.
    """
    columns = [(setting, part) for setting in settings for part in PARTS]

    def array(value: Callable[[str, str, str], float | None]) -> np.ndarray:
        found = [[value(setting, name, part) for setting, part in columns] for name in grid.corpora]
        return np.array(found, float)  # None becomes nan

    names = [f"{setting}\n{part}" for setting, part in columns]
    return heat_map(array(grid.uar), array(difference), grid.corpora, names, reference)


def protocols(grid: Grid) -> str:
    """Which corpora were tested how."""
    tested: dict[str, list[str]] = defaultdict(list)
    for name in grid.corpora:
        runs = [one for setting in grid.having(name) for one in grid.settings[setting][name]]
        for protocol in dict.fromkeys(one.result["protocol"] for one in runs):
            tested[protocol].append(name)
    return "; ".join(f"{', '.join(names)}: {protocol}" for protocol, names in tested.items())


def normalisation(grid: Grid) -> str:
    """What the input was standardised over, and for which settings over all clips of a tested speaker."""
    said = ["Networks: each utterance's log-mel over its own frames."]
    for classifier, parts in _STANDARDISED_OVER.items():
        if names := _settings_with(grid, "classifier", classifier):
            said.append(f"SVMs ({names}): each feature over {parts}.")
    return " ".join([*said, f"Per speaker: {_settings_with(grid, 'speaker_normalisation', True) or 'none'}."])


def _settings_with(grid: Grid, key: str, value: str | bool) -> str:
    """Names of the settings of which a run has this in its config."""
    return ", ".join(
        setting
        for setting, scored in grid.settings.items()
        if any(one.run["config"].get(key) == value for runs in scored.values() for one in runs)
    )


def seeds(grid: Grid) -> str:
    """Which seeds there are; they choose the partition too where none is published."""
    found = sorted({one.seed for one in grid.runs()})
    return f"{', '.join(map(str, found))}; one run of each corpus in each setting with each seed."


def versions(grid: Grid) -> str:
    """Which settings were scored with which versions, as their runs noted."""
    settings: dict[str, dict[str, None]] = defaultdict(dict)
    for setting, scored in grid.settings.items():
        for one in itertools.chain.from_iterable(scored.values()):
            noted = ", ".join(f"{name} {number}" for name, number in one.run["versions"].items())
            settings[noted or "not noted"][setting] = None
    listed = "; ".join(f"{', '.join(names)}: {noted}" for noted, names in settings.items())
    return f"{listed}. Noted when they were scored; of networks, emojax is the one that trained them."


def runs_table(grid: Grid) -> Table:
    """Every run: how it was trained and scored."""
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
        how = *network_settings(config), run["utterance"], run.get("commit") or "unknown", run["command"]
        state = run.get("state", "")
        where = "/".join(workdir.parts[-2:])
        yield [setting, where, ", ".join(corpora[workdir]), mode, state, config["seed"], run["step"], *how]
