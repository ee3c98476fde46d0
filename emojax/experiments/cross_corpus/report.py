"""Cross-corpus report: a matrix over levels of arousal, and one over levels of valence."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emojax.baselines.features import FEATURE_SETS, functionals, opensmile_version
from emojax.corpora.affect import parse_mapping
from emojax.data.partitioned import joint_protocol, open_levels
from emojax.data.prepared import PreparedCorpus
from emojax.evaluation.metrics import FEW_SPEAKERS_NOTE
from emojax.experiments.cross_corpus.matrix import Matrix, matrix_picture, matrix_table
from emojax.experiments.cross_corpus.scoring import Score, score_matrix
from emojax.experiments.cross_corpus.systems import (
    Levels,
    Run,
    check_levels,
    network_system,
    open_run,
    svms,
)
from emojax.experiments.reports.provenance import NETWORK, network_settings
from emojax.experiments.reports.report import Picture, Report
from emojax.experiments.reports.table import Cell, Marked, Table

_DETAILS = dict.fromkeys(("levels of", "system", "trained on", "tested on", "within"), "")
_DETAILS |= {
    "test clips": ",d",
    "left out": ",d",
    "chance": ".1f",
    "UAR devel": ".1f",
    "UAR test": ".1f",
}
_DETAILS |= {"from": ".1f", "to": ".1f", "interval over": ""}
_RUNS = {"system": "", "run": "", "corpora": "", "base": "", "seed": "d", "step": ",d"}
_RUNS |= {**NETWORK, "emojax": ""}


def cross_corpus_report(
    corpora: Mapping[str, PreparedCorpus],
    aggregated: str,
    label_words: str,
    features: Sequence[str],
    workdirs: Mapping[str, Sequence[Path]],
    cache_dir: Path,
    scores_dir: Path,
) -> Report:
    """Test SVMs trained on one corpus each, and finished runs, on the test part of every corpus.

    Args:
      corpora: columns of the matrices; each is also the training corpus of an SVM.
      aggregated: dimensions of affect, one of :data:`emojax.corpora.aggregate.DOMAINS`.
      label_words: text for :func:`emojax.corpora.affect.parse_mapping`.
      features: feature sets of the SVMs, from :data:`emojax.baselines.features.FEATURE_SETS`.
      workdirs: name → work directories of runs on aggregated corpora.
      cache_dir: folder of cached features.
      scores_dir: folder of finished scores.

    Raises:
      ValueError: there is nothing to test, or an argument is unknown; raised before any
        computation.
    """
    _check(features, workdirs, label_words)
    runs = {kind: [open_run(workdir) for workdir in some] for kind, some in workdirs.items()}
    _refuse_twice(runs)
    scheme, seed = _division(runs)
    paths = {name: corpus.path for name, corpus in corpora.items()}
    domains = open_levels(paths, scheme, seed, aggregated, label_words)
    for run in itertools.chain.from_iterable(runs.values()):
        check_levels(run, domains, corpora, label_words)

    @functools.cache
    def read(feature_set: str, name: str) -> np.ndarray:
        return functionals(corpora[name], feature_set, cache_dir)

    matrices = []
    for dimension, levels in domains.items():
        kinds = {name: svms(name, levels, functools.partial(read, name)) for name in features}
        for kind, some in runs.items():
            knowing = [run for run in some if dimension in run.manifest["corpora"]]
            kinds[kind] = [network_system(run, dimension, levels) for run in knowing]
        for kind, systems in kinds.items():
            scores = score_matrix(systems, levels, scores_dir, f"{dimension} {kind}")
            matrices += [Matrix(dimension, kind, scores)] if scores else []
    if not matrices:
        raise ValueError(
            f"none of these systems can be tested on {', '.join(domains)}: give others"
        )
    return _report(matrices, domains, list(corpora), runs, seed)


def _check(
    features: Sequence[str], workdirs: Mapping[str, Sequence[Path]], label_words: str
) -> None:
    """Refuse invalid systems before anything is opened."""
    if not features and not workdirs:
        raise ValueError(
            "nothing to test; give --features=egemaps, --workdirs=NAME=FOLDER, or both"
        )
    unknown = [name for name in features if name not in FEATURE_SETS]
    if unknown:
        raise ValueError(
            f"--features={', '.join(map(repr, unknown))}; "
            f"choose one of {', '.join(FEATURE_SETS)}, or several"
        )
    if features:
        opensmile_version()
    strange = [
        name
        for name in workdirs
        if name in FEATURE_SETS or not re.fullmatch(r"[A-Za-z0-9_-]+", name)
    ]
    if strange:
        raise ValueError(
            f"runs named {strange[0]!r}, which is to be part of a file's name: "
            f"use letters, digits, '-' and '_', and none of {', '.join(FEATURE_SETS)}"
        )
    try:
        parse_mapping(label_words)
    except ValueError as error:
        raise ValueError(f"label_words: {error}") from None


def _refuse_twice(runs: Mapping[str, Sequence[Run]]) -> None:
    for kind, some in runs.items():
        for one, other in itertools.combinations(some, 2):
            if one.name == other.name:
                raise ValueError(
                    f"{kind}: {one.workdir} and {other.workdir} are both trained on {one.name}; "
                    "name them apart: --workdirs=NAME=FOLDER,OTHER=FOLDER"
                )


def _division(runs: Mapping[str, Sequence[Run]]) -> tuple[str, int]:
    """Return the scheme and seed by which the runs divided their corpora; defaults without runs."""
    divisions = {run.division: run.workdir for some in runs.values() for run in some}
    if len(divisions) > 1:
        each = "; ".join(
            f"{workdir}: {scheme}, seed {s}" for (scheme, s), workdir in divisions.items()
        )
        raise ValueError(
            f"the runs divided their corpora differently ({each}); give those of one division"
        )
    return next(iter(divisions), ("default", 0))


def _report(
    matrices: Sequence[Matrix],
    domains: Mapping[str, Levels],
    corpora: Sequence[str],
    runs: Mapping[str, Sequence[Run]],
    seed: int,
) -> Report:
    protocols = [
        f"{dimension}: {joint_protocol(levels, [name for name in corpora if name not in levels])}"
        for dimension, levels in domains.items()
    ]
    pieces: list[Table | Picture] = []
    for matrix in matrices:
        pieces += [matrix_table(matrix, domains[matrix.dimension]), matrix_picture(matrix)]
    by_svm = any(matrix.kind in FEATURE_SETS for matrix in matrices)
    smile = f"openSMILE {opensmile_version()} functionals, " if by_svm else ""
    return Report(
        name="cross_corpus",
        title=f"Trained on one corpus, tested on another: {' and '.join(domains)}",
        protocol=(
            "A row learns from train parts, a column is a test part; no known speaker is in both. "
            + " — ".join(protocols)
        ),
        seeds=(
            f"{seed}, of partitions that are not published, "
            "and of the clips chosen for equal levels."
        ),
        normalisation=(
            f"SVMs: {smile}standardised over the train part they learn from. Networks: "
            "each utterance's log-mel over its own frames. Per speaker or tested corpus: none."
        ),
        selection=(
            "Best UAR on the devel part of what was trained on: of an SVM's C (then fitted on "
            "train and devel), of a network's states by the mean over its heads."
        ),
        pieces=[*pieces, _details(matrices), *([_runs(runs)] if runs else [])],
    )


def _details(matrices: Sequence[Matrix]) -> Table:
    rows = [_detail(matrix, score) for matrix in matrices for score in matrix.scores]
    notes = ["from, to: 95 % bootstrap interval of UAR on test, over speakers or over clips."]
    if any(score.few for matrix in matrices for score in matrix.scores):
        notes.append(FEW_SPEAKERS_NOTE)
    return Table("cross_corpus_details", "Every cell in full", _DETAILS, rows, notes=notes)


def _detail(matrix: Matrix, score: Score) -> list[Cell]:
    within = "yes" if score.within else "no"
    place = [matrix.dimension, matrix.kind, score.system, score.corpus, within]
    if score.result is None:
        return [*place, 0, score.left_out, *[None] * 5, ""]
    result = score.result
    devel = None if result["devel_uar"] is None else 100 * result["devel_uar"]
    low, high = (100 * end for end in result["uar_ci95"])
    uars = 100 * result["chance"], devel, Marked(100 * result["uar"], score.few), low, high
    return [*place, result["n"], score.left_out, *uars, result["uar_ci95_over"]]


def _runs(runs: Mapping[str, Sequence[Run]]) -> Table:
    rows = [
        [
            *(kind, run.workdir.name, ", ".join(run.corpora), config["base"], config["seed"]),
            *(run.manifest["step"], *network_settings(config), run.manifest["emojax"]),
        ]
        for kind, some in runs.items()
        for run in some
        for config in [run.manifest["config"]]
    ]
    notes = ["emojax: that which trained them; the page's versions tested them."]
    return Table("runs", "The runs behind these numbers", _RUNS, rows, notes=notes)
