"""Score openSMILE or DeepSpectrum features with an SVM: ``python baseline.py --corpora=...``."""

import shlex
import sys
from pathlib import Path

from absl import app, flags, logging

from emojax.command_line import command
from emojax.compilation import use_compilation_cache

flags.DEFINE_string("corpora", None, "Comma separated, as for train.py.", required=True)
flags.DEFINE_string("source_dir", "corpora", "Folder that holds the publishers' folders.")
flags.DEFINE_string(
    "data_dir", "data", "Folder of the prepared corpora, and of the features once extracted."
)
flags.DEFINE_list(
    "features",
    "egemaps",
    "egemaps, compare, is10, deepspectrum_vgg16, deepspectrum_lite0; several with a comma.",
)
flags.DEFINE_string(
    "vgg16_weights", None, "Keras's .h5 or torchvision's .pth; downloaded if not given."
)
flags.DEFINE_enum(
    "classifier",
    "linear",
    ["linear", "rbf", "rbf_cv"],
    "Linear: C chosen on devel; rbf: C = 1; rbf_cv: C and gamma by inner folds over speakers.",
)
flags.DEFINE_string(
    "partition", "default", "As for train.py, or loso, fold:K or random:K for all folds pooled."
)
flags.DEFINE_integer("seed", 0, "Of partitions that are not published.")
flags.DEFINE_string(
    "columns",
    "",
    "As for train.py: further columns of a table; numbers are answered by a linear SVR.",
)
flags.DEFINE_bool("speaker_normalisation", False, "Standardise the features of each speaker first.")
flags.DEFINE_string(
    "out", "runs/baseline", "Folder of the results, in it a folder per feature set."
)
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Prepare missing corpora, score the baselines and print a table per feature set."""
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}")
    use_compilation_cache()  # before anything starts jax
    logging.set_verbosity(logging.WARNING)
    with command("baseline.py", again="stopped; the same command goes on with the next clip"):
        _score(shlex.join(["python", *sys.argv]))


def _score(typed: str) -> None:
    from emojax.baselines.feature_sets import open_features

    chosen = [open_features(name, FLAGS.vgg16_weights) for name in FLAGS.features]
    import datasets

    paths = datasets.prepare(FLAGS.corpora, FLAGS.source_dir, FLAGS.data_dir)
    from emojax.baselines.pipeline import Baseline, evaluate
    from emojax.evaluation.scores import score_tables

    settings = FLAGS.classifier, FLAGS.partition, FLAGS.seed, FLAGS.speaker_normalisation
    baselines = [Baseline(features, *settings) for features in chosen]
    out, data_dir = (Path(path).expanduser() for path in (FLAGS.out, FLAGS.data_dir))
    for baseline in baselines:
        places = data_dir / "features", out / baseline.features.name
        print(score_tables(evaluate(baseline, paths, *places, typed, FLAGS.columns)))


if __name__ == "__main__":
    app.run(main)
