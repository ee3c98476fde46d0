"""Tables and figures of the EmoNet paper: ``python -m emojax.experiments NAME --out=DIR``.

statistics  Table 1 and Figures 2, 3, 4, of prepared corpora: --corpora=emodb,casia --data_dir=DIR
parameters  one shared network against a network for each of these corpora
transfer    Table 4 and Figure 7, of finished runs: --workdirs=scratch=runs/scratch_*,shared=runs/multi_corpus
cross_corpus  trained on A, tested on B: SVMs of each of these corpora (--features=egemaps), or finished runs
"""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from absl import app, flags, logging

if TYPE_CHECKING:
    from collections.abc import Mapping

    from emojax.data.prepared import PreparedCorpus
    from emojax.experiments.report import Report

_CORPORA = flags.DEFINE_list("corpora", [], "Names, in the order of the tables; all there are, if empty.")
_DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")
_OUT = flags.DEFINE_string("out", None, "Folder for the tables, figures and the page.", required=True)
_WORKDIRS = flags.DEFINE_list(
    "workdirs",
    [],
    "transfer: NAME=FOLDER of each setting, first the one to compare with; cross_corpus: of runs with "
    "--config.aggregate; a folder may be a pattern, and a name may be repeated.",
)
_FEATURES = flags.DEFINE_list("features", [], "cross_corpus: of an SVM a corpus: egemaps, compare, or both.")
_AGGREGATE = flags.DEFINE_enum(
    "aggregate", "a+v", ["arousal", "valence", "a+v"], "cross_corpus: levels of what."
)
_LABEL_WORDS = flags.DEFINE_string("label_words", "", "cross_corpus: as train.py's, such as calm=rest.")
EXPERIMENTS = ("statistics", "parameters", "transfer", "cross_corpus")


def main(argv: list[str]) -> None:
    """Run one experiment, and say what was written."""
    if len(argv) != 2 or argv[1] not in EXPERIMENTS:
        given = " ".join(map(repr, argv[1:])) or "no experiment"
        raise SystemExit(f"experiments: {given} given; choose one of {', '.join(EXPERIMENTS)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.set_verbosity(logging.WARNING)
    from emojax.experiments.report import write_report

    command = shlex.join(["python", "-m", "emojax.experiments", *sys.argv[1:]])
    try:
        for path in write_report(_experiment(argv[1]), Path(_OUT.value).expanduser(), command):
            print(path)
    except (ValueError, OSError) as error:
        raise SystemExit(f"experiments: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("experiments: stopped; the same command goes on with what is missing") from None


def _experiment(name: str) -> Report:
    """Only what is asked for is imported."""
    if name == "transfer":
        from emojax.experiments.finished import parse_workdirs
        from emojax.experiments.transfer import transfer

        return transfer(parse_workdirs(_WORKDIRS.value), _CORPORA.value)
    from emojax.experiments.prepared import find_corpora

    corpora = find_corpora(_CORPORA.value, Path(_DATA_DIR.value).expanduser())
    if name == "cross_corpus":
        return _cross_corpus(corpora)
    if name == "parameters":
        from emojax.experiments.parameters import parameters

        return parameters(corpora)
    from emojax.experiments.statistics import statistics

    return statistics(corpora)


def _cross_corpus(corpora: Mapping[str, PreparedCorpus]) -> Report:
    from emojax.experiments.cross_corpus import cross_corpus
    from emojax.experiments.finished import parse_workdirs

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
