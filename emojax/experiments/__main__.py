"""Tables and figures of the papers: ``python -m emojax.experiments NAME --out=DIR``.

statistics  Table 1 and Figures 2, 3, 4 of prepared corpora: --corpora=emodb,casia --data_dir=DIR
parameters  one shared network against a network per corpus; --corpora=emoset: the paper's 26
baselines   Table 3: SVMs and the network from scratch
transfer    Table 4 and Figure 7: shared and single-task transfer
pooled      every clip of every corpus tested once (--folds=6): shared network, scratch and SVMs
size        a shared network of each size (--widths=8,16,32 --depths=1,2): UAR, parameters, time
zero_shot   common emotions of corpora that a network never saw: --held_out=emodb,emovo
shots       a few labelled clips of corpora that --base never saw: --shots=1,5,20 --folds=3
transferable  Tables 1 to 5 of the transferable-features paper: --folds=5 --tables=1,2,3
cross_corpus  trained on A, tested on B: an SVM per corpus (--features=egemaps), or finished runs
numbers       numbers that finished runs predict, over all folds: --workdirs=alone=OUT/alone_*

The experiments from baselines to transferable run all unfinished runs in OUT/runs:
  python -m emojax.experiments transfer --corpora=emodb,casia --seeds=0,1,2 --out=DIR
With --workdirs they read finished runs: --workdirs=scratch=runs/scratch_*,shared=runs/multi_corpus
"""

from __future__ import annotations

import functools
import os
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import app, flags, logging

from emojax.command_line import command
from emojax.compilation import use_compilation_cache
from emojax.files import printable

if TYPE_CHECKING:
    from emojax.data.prepared import PreparedCorpus
    from emojax.experiments.launch.job import Job
    from emojax.experiments.launch.spec import Spec
    from emojax.experiments.reports.report import Report

flags.DEFINE_list("corpora", [], "NAME or NAME=PATH as for train.py, in the order of the tables.")
flags.DEFINE_string("source_dir", "corpora", "Folder of the publishers' folders.")
flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")
flags.DEFINE_string("out", None, "Folder for the tables, figures, page and runs.", required=True)
flags.DEFINE_list(
    "workdirs",
    [],
    "Read finished runs instead: NAME=FOLDER of each setting, first the reference "
    "(cross_corpus: runs with --config.domains). A folder may be a pattern, "
    "and a name may be repeated.",
)
flags.DEFINE_list(
    "settings",
    [],
    "Rows to run; if empty, the usual ones that need no download. pooled: A+B adds the "
    "log-probabilities of two other rows.",
)
flags.DEFINE_integer(
    "folds",
    6,
    "Number of folds of pooled, size, shots (default 3) and transferable (default 5).",
    3,
)
flags.DEFINE_list("widths", ["8", "16", "32"], "size: channels of the first convolution.")
flags.DEFINE_list("depths", ["1", "2"], "size: residual blocks per stack.")
flags.DEFINE_enum(
    "partition",
    "fold",
    ["fold", "random"],
    "transferable: folds of speakers, or of recordings, with speakers on both sides.",
)
flags.DEFINE_list("tables", ["1", "2", "3", "4", "5"], "transferable: some of its tables.")
flags.DEFINE_list("held_out", [], "zero_shot: corpora to leave out and to test; all, if empty.")
flags.DEFINE_bool("together", False, "zero_shot: leave all of them out of a single network.")
flags.DEFINE_string(
    "base", "", "pooled, shots: the run or published model from which adapt starts."
)
flags.DEFINE_list("shots", ["1", "5", "20"], "shots: labelled clips per label; all comes last.")
flags.DEFINE_list("base_corpora", [], "transfer: also start from single networks of these corpora.")
flags.DEFINE_list("seeds", ["0"], "Seeds, such as 0,1,2; each run is made with every seed.")
flags.DEFINE_string(
    "vgg16_weights", None, "baselines: as for baseline.py, for the row deepspectrum_vgg16."
)
flags.DEFINE_bool(
    "speaker_normalisation", False, "baselines: as for baseline.py, for all rows of SVMs."
)
flags.DEFINE_string(
    "config",
    "configs/multi_corpus.py",
    "Settings of shared training; transferable: of all training (configs/cnn_lstm.py).",
)
flags.DEFINE_string("scratch_config", "configs/scratch.py", "Settings of a corpus's own network.")
flags.DEFINE_string(
    "tune_config", "configs/adapt.py", "Settings of the tuning on a trained network."
)
flags.DEFINE_string("engine", "here", "here | local:PROCESSES | slurm:timeout_min=600,...")
flags.DEFINE_list("features", [], "cross_corpus: features of the SVMs: egemaps, compare, is10.")
flags.DEFINE_enum("aggregate", "a+v", ["arousal", "valence", "a+v"], "cross_corpus: which levels.")
flags.DEFINE_string("label_words", "", "Meaning of labels, as for train.py, such as calm=rest.")
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Run one experiment and print the paths of the written files."""
    if len(argv) != 2 or argv[1] not in EXPERIMENTS:
        given = " ".join(map(repr, argv[1:])) or "no experiment"
        raise SystemExit(f"experiments: {given} given; choose one of {', '.join(EXPERIMENTS)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    use_compilation_cache()  # before anything starts jax
    logging.set_verbosity(logging.WARNING)
    with command("experiments", again="stopped; the same command goes on where it was"):
        report = EXPERIMENTS[argv[1]]()
        from emojax.experiments.reports.report import write_report

        typed = shlex.join(["python", "-m", "emojax.experiments", *sys.argv[1:]])
        for path in write_report(report, _path(FLAGS.out), typed):
            print(path)
        if report.caution:
            print(printable(report.caution), file=sys.stderr)
        if report.missing:
            raise ValueError("some runs failed, see above; the same command tries them again")


# Each reads the command line first, so that a mistake is named before anything slow is imported.
def _statistics() -> Report:
    corpora = _opened()
    from emojax.experiments.table1 import corpus_report

    return corpus_report(corpora)


def _parameters() -> Report:
    from emojax.experiments.parameter_count import parameter_report, read_labels

    return parameter_report(read_labels(_names(), _path(FLAGS.data_dir)))


def _baselines() -> Report:
    finished = _finished()
    from emojax.experiments.table3 import baseline_report

    return baseline_report(*finished) if finished else _launch("baselines", baseline_report)


def _transfer() -> Report:
    finished = _finished()
    from emojax.experiments.table4 import transfer_report

    return transfer_report(*finished) if finished else _launch("transfer", transfer_report)


def _pooled() -> Report:
    finished = _finished()
    from emojax.experiments.pooled import pooled_report
    from emojax.experiments.reports.fusion import AND, fused_settings

    def report(workdirs: dict[str, list[Path]], **given: str) -> Report:
        known = workdirs if FLAGS.workdirs else [one for one in FLAGS.settings if AND not in one]
        fused = fused_settings(FLAGS.settings, known)
        return pooled_report(workdirs, _opened(), fused=fused, **given)

    return report(finished[0]) if finished else _launch("pooled", report)


def _size() -> Report:
    from emojax.experiments.size.plan import parse_numbers, size_jobs
    from emojax.experiments.size.report import size_report

    if not FLAGS.corpora:
        raise ValueError("give --corpora=NAME,NAME: those that every network learns from")
    widths = parse_numbers("widths", FLAGS.widths)
    depths = parse_numbers("depths", FLAGS.depths)
    spec = _spec()
    jobs = [*size_jobs(spec, widths, depths, FLAGS.folds)]

    def report(workdirs: dict[str, list[Path]], missing: str = "") -> Report:
        return size_report(workdirs, _opened(), missing)

    return _carry_out(jobs, spec, report)


def _zero_shot() -> Report:
    from emojax.evaluation.score_files import parse_workdirs
    from emojax.experiments.zero_shot.plan import choose_held_out, reading_jobs, training_jobs
    from emojax.experiments.zero_shot.report import zero_shot_report

    if not FLAGS.corpora:
        raise ValueError("give --corpora=NAME,NAME: those to learn from, and those to ask about")
    spec, workdirs = _spec(), parse_workdirs(FLAGS.workdirs)
    held_out, without = choose_held_out(spec, FLAGS.held_out)
    if without:
        print(f"not asked about, with fewer than two common words: {', '.join(without)}")
    if workdirs:
        jobs = reading_jobs(spec, held_out, workdirs)
    else:
        jobs = training_jobs(spec, held_out, FLAGS.together)
    return _carry_out(jobs, spec, functools.partial(zero_shot_report, without=without))


def _shots() -> Report:
    from emojax.experiments.shots.drawing import parse_shots
    from emojax.experiments.shots.plan import shots_jobs
    from emojax.experiments.shots.report import shots_report

    if not FLAGS.corpora:
        raise ValueError("give --corpora=NAME,NAME: those that --base did not learn from")
    FLAGS.set_default("folds", 3)
    spec, shots = _spec(), parse_shots(FLAGS.shots)
    jobs = [*shots_jobs(spec, FLAGS.settings, shots, FLAGS.folds)]

    def report(workdirs: dict[str, list[Path]], missing: str = "") -> Report:
        return shots_report(workdirs, _opened(), shots, missing)

    return _carry_out(jobs, spec, report)


def _transferable() -> Report:
    from emojax.experiments.launch.launch import count_folds
    from emojax.experiments.transferable.emotion_sets import choose_corpora
    from emojax.experiments.transferable.plan import check_request, describe, transferable_jobs
    from emojax.experiments.transferable.report import transferable_report

    if not FLAGS.corpora:
        raise ValueError("give --corpora=NAME,NAME: each is a target, and a source of the others")
    FLAGS.set_default("config", "configs/cnn_lstm.py")
    FLAGS.set_default("folds", 5)
    asked, tables, partition, folds = _spec(), FLAGS.tables, FLAGS.partition, FLAGS.folds
    check_request(asked, tables)
    spec, corpora, left_out = choose_corpora(asked)
    tested = count_folds(corpora, f"{partition}:{folds}")
    jobs = transferable_jobs(spec, tables, partition, folds, tested)
    print("\n".join([*left_out, describe(jobs)]), flush=True)

    def report(workdirs: dict[str, list[Path]], missing: str = "") -> Report:
        words = spec.label_words
        return transferable_report(workdirs, corpora, tables, words, left_out, missing)

    return _carry_out(jobs, spec, report) if jobs else report({})


def _cross_corpus() -> Report:
    from emojax.evaluation.score_files import parse_workdirs
    from emojax.experiments.cross_corpus.report import cross_corpus_report

    corpora, workdirs = _opened(), parse_workdirs(FLAGS.workdirs)
    levels = FLAGS.aggregate, FLAGS.label_words
    kept = _path(FLAGS.data_dir) / "features", _path(FLAGS.out) / "scores"
    return cross_corpus_report(corpora, *levels, FLAGS.features, workdirs, *kept)


def _numbers() -> Report:
    if not FLAGS.workdirs:
        raise ValueError("give --workdirs=NAME=FOLDER,NAME=FOLDER: finished runs with numbers")
    from emojax.evaluation.score_files import parse_workdirs
    from emojax.experiments.numbers import numbers_report

    return numbers_report(parse_workdirs(FLAGS.workdirs))


# Name on the command line → function that makes the report and imports only what it needs.
EXPERIMENTS: dict[str, Callable[[], Report]] = {
    "statistics": _statistics,
    "parameters": _parameters,
    "baselines": _baselines,
    "transfer": _transfer,
    "pooled": _pooled,
    "size": _size,
    "zero_shot": _zero_shot,
    "shots": _shots,
    "transferable": _transferable,
    "cross_corpus": _cross_corpus,
    "numbers": _numbers,
}


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _names() -> list[str]:
    from emojax.experiments.corpus_arguments import prepared_names

    return prepared_names(FLAGS.corpora, FLAGS.source_dir, FLAGS.data_dir)


def _opened() -> dict[str, PreparedCorpus]:
    from emojax.data.prepared import find_corpora

    return find_corpora(_names(), _path(FLAGS.data_dir))


def _finished() -> tuple[dict[str, list[Path]], list[str]] | None:
    """Return the finished runs of the command line and the corpora to show; None to run them."""
    if not FLAGS.workdirs and not FLAGS.corpora:
        raise ValueError(
            "give --corpora=NAME,NAME to run, or --workdirs=NAME=FOLDER,NAME=FOLDER to read"
        )
    if not FLAGS.workdirs:
        return None
    from emojax.evaluation.score_files import parse_workdirs
    from emojax.experiments.corpus_arguments import parse_corpora

    return parse_workdirs(FLAGS.workdirs), list(parse_corpora(FLAGS.corpora))


def _spec() -> Spec:
    """Return the specification of the runs on the command line."""
    from emojax.experiments.corpus_arguments import parse_bases, parse_corpora
    from emojax.experiments.launch.spec import Spec, parse_seeds

    corpora = parse_corpora(FLAGS.corpora)
    given: dict[str, Any] = {
        name: FLAGS[name].value for name in Spec.__dataclass_fields__ if name in FLAGS
    }
    bases, seeds = parse_bases(FLAGS.base_corpora, corpora), parse_seeds(FLAGS.seeds)
    return Spec(
        **given | {"corpora": corpora, "bases": bases, "out": _path(FLAGS.out), "seeds": seeds}
    )


def _launch(name: str, report: Callable[..., Report]) -> Report:
    """Return the report of the runs in a plan."""
    from emojax.experiments.launch.plan import baseline_jobs, transfer_jobs
    from emojax.experiments.launch.pooled_plan import pooled_jobs

    plans: dict[str, Callable[..., Iterable[Job]]] = {
        "baselines": baseline_jobs,
        "transfer": transfer_jobs,
        "pooled": functools.partial(pooled_jobs, folds=FLAGS.folds),
    }
    spec = _spec()
    return _carry_out(plans[name](spec, FLAGS.settings), spec, report)


def _carry_out(jobs: Iterable[Job], spec: Spec, report: Callable[..., Report]) -> Report:
    """Run the unfinished jobs, and return the report of all."""
    from emojax.experiments.launch.launch import carry_out

    workdirs, failed = carry_out(list(jobs), spec, FLAGS.engine)
    if not workdirs:
        raise ValueError("no run ended well, see above; the same command tries them again")
    return report(workdirs, missing="; ".join(f"{name}: {why}" for name, why in failed.items()))


if __name__ == "__main__":
    app.run(main)
