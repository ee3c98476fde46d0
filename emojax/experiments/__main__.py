"""Tables and figures of the EmoNet paper: ``python -m emojax.experiments NAME --out=DIR``.

statistics  Table 1 and Figures 2, 3, 4, of prepared corpora: --corpora=emodb,casia --data_dir=DIR
parameters  one shared network against a network for each of them; --corpora=emoset: the paper's 26
baselines   Table 3: SVMs and the network from scratch
transfer    Table 4 and Figure 7: shared and single-task transfer
cross_corpus  trained on A, tested on B: SVMs of each of these corpora (--features=egemaps), or finished runs

baselines and transfer train and score what is not finished in OUT/runs, as in
  python -m emojax.experiments transfer --corpora=emodb,casia --seeds=0,1,2 --out=DIR
or, with --workdirs, read finished runs: --workdirs=scratch=runs/scratch_*,shared=runs/multi_corpus
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from absl import app, flags, logging

from emojax.compilation import use_compilation_cache

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emojax.data.prepared import PreparedCorpus
    from emojax.experiments.launch.job import Cell
    from emojax.experiments.launch.spec import Request
    from emojax.experiments.reports.report import Report

_CORPORA = flags.DEFINE_list("corpora", [], "In the order of the tables; as train.py takes them to be run.")
_DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")
_OUT = flags.DEFINE_string("out", None, "Folder for the tables, figures, page and runs.", required=True)
_WORKDIRS = flags.DEFINE_list(
    "workdirs",
    [],
    "Run nothing; read NAME=FOLDER of each setting, first the one compared with (cross_corpus: of runs with "
    "--config.aggregate); a folder may be a pattern, and a name may be repeated.",
)
_SETTINGS = flags.DEFINE_list("settings", [], "Rows to run; the paper's, if empty, without weights to fetch.")
_BASES = flags.DEFINE_list("base_corpora", [], "transfer: also begin at single networks of these corpora.")
_SEEDS = flags.DEFINE_list("seeds", ["0"], "A run with each, as in 0,1,2.")
_VGG16_WEIGHTS = flags.DEFINE_string(
    "vgg16_weights", None, "baselines: Keras's .h5 or torchvision's .pth, for the row deepspectrum_vgg16."
)
_SPEAKER_NORMALISATION = flags.DEFINE_bool(
    "speaker_normalisation", False, "baselines: SVMs standardise the features of each speaker first."
)
_CONFIG = flags.DEFINE_string("config", "configs/multi_corpus.py", "Settings of shared training.")
_SCRATCH = flags.DEFINE_string("scratch_config", "configs/scratch.py", "Settings of a corpus's own network.")
_TUNE = flags.DEFINE_string("tune_config", "configs/adapt.py", "Settings of the tuning on a trained network.")
_SOURCE_DIR = flags.DEFINE_string("source_dir", "corpora", "Folder of the publishers' folders.")
_ENGINE = flags.DEFINE_string("engine", "here", "here | local:PROCESSES | slurm:timeout_min=600,...")
_FEATURES = flags.DEFINE_list("features", [], "cross_corpus: of an SVM a corpus: egemaps, compare, or both.")
_AGGREGATE = flags.DEFINE_enum(
    "aggregate", "a+v", ["arousal", "valence", "a+v"], "cross_corpus: levels of what."
)
_LABEL_WORDS = flags.DEFINE_string(
    "label_words", "", "Of levels of affect: as train.py's, such as calm=rest."
)
EXPERIMENTS = ("statistics", "parameters", "baselines", "transfer", "cross_corpus")


def main(argv: list[str]) -> None:
    """Run one experiment, and say what was written."""
    if len(argv) != 2 or argv[1] not in EXPERIMENTS:
        given = " ".join(map(repr, argv[1:])) or "no experiment"
        raise SystemExit(f"experiments: {given} given; choose one of {', '.join(EXPERIMENTS)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    use_compilation_cache()  # before anything starts jax
    logging.set_verbosity(logging.WARNING)
    from emojax.experiments.reports.report import write_report

    # Whoever ends this process ends the runs that it began.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    command = shlex.join(["python", "-m", "emojax.experiments", *sys.argv[1:]])
    try:
        report = _experiment(argv[1])
        for path in write_report(report, Path(_OUT.value).expanduser(), command):
            print(path)
    except (ValueError, OSError) as error:
        raise SystemExit(f"experiments: {error}") from error
    except ImportError as error:
        raise SystemExit(f'experiments: {error}; pip install "emojax[statistics,baselines]"') from error
    except KeyboardInterrupt:
        raise SystemExit("experiments: stopped; the same command goes on where it was") from None
    if report.missing:
        raise SystemExit("experiments: some runs failed, see above; the same command tries them again")


def _experiment(name: str) -> Report:
    """Only what is asked for is imported."""
    if name in ("baselines", "transfer"):
        return _of_runs(name)
    if name == "parameters":
        from emojax.experiments.parameter_count import parameters, read_labels

        return parameters(read_labels(_CORPORA.value, Path(_DATA_DIR.value).expanduser()))
    from emojax.data.prepared import find_corpora

    corpora = find_corpora(_CORPORA.value, Path(_DATA_DIR.value).expanduser())
    if name == "cross_corpus":
        return _cross_corpus(corpora)
    from emojax.experiments.table1 import statistics

    return statistics(corpora)


def _of_runs(name: str) -> Report:
    """Of finished runs, or of those that the plan asks for."""
    from emojax.evaluation.score_files import parse_workdirs
    from emojax.experiments.launch.launch import carry_out
    from emojax.experiments.table3 import baselines
    from emojax.experiments.table4 import transfer

    report = {"baselines": baselines, "transfer": transfer}[name]
    if _WORKDIRS.value:
        return report(parse_workdirs(_WORKDIRS.value), _CORPORA.value)
    request = _request()
    workdirs, failed = carry_out(_cells(name, request), request, _ENGINE.value)
    if not workdirs:
        raise ValueError("no run ended well, see above; the same command tries them again")
    return report(workdirs, missing="; ".join(f"{cell}: {why}" for cell, why in failed.items()))


def _request() -> Request:
    from emojax.experiments.launch.spec import Request, parse_bases, parse_corpora, parse_seeds

    if not _CORPORA.value:
        raise ValueError("give --corpora=NAME,NAME to run, or --workdirs=NAME=FOLDER,NAME=FOLDER to read")
    corpora = parse_corpora(_CORPORA.value)
    return Request(
        corpora,
        parse_bases(_BASES.value, corpora),
        Path(_OUT.value).expanduser(),
        parse_seeds(_SEEDS.value),
        _SOURCE_DIR.value,
        _DATA_DIR.value,
        _CONFIG.value,
        _SCRATCH.value,
        _TUNE.value,
        _LABEL_WORDS.value,
        _VGG16_WEIGHTS.value,
        _SPEAKER_NORMALISATION.value,
    )


def _cells(name: str, request: Request) -> list[Cell]:
    from emojax.experiments.launch.plan import baseline_cells, transfer_cells

    return list({"baselines": baseline_cells, "transfer": transfer_cells}[name](request, _SETTINGS.value))


def _cross_corpus(corpora: Mapping[str, PreparedCorpus]) -> Report:
    from emojax.evaluation.score_files import parse_workdirs
    from emojax.experiments.cross_corpus.report import cross_corpus

    return cross_corpus(
        corpora,
        _AGGREGATE.value,
        _LABEL_WORDS.value,
        _FEATURES.value,
        parse_workdirs(_WORKDIRS.value),
        Path(_DATA_DIR.value).expanduser() / "features",
        Path(_OUT.value).expanduser() / "cells",
    )


if __name__ == "__main__":
    app.run(main)
