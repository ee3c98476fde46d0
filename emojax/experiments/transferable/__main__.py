"""One SVM of the experiment: ``python -m emojax.experiments.transferable --corpora=... ...``."""

import shlex
import sys
from pathlib import Path

from absl import app, flags, logging

from emojax.command_line import command

flags.DEFINE_list("corpora", None, "Prepared corpora to learn from.", required=True)
flags.DEFINE_string("target", "", "Prepared corpus to adapt to; empty to score the others.")
flags.DEFINE_string("partition", "default", "As for train.py.")
flags.DEFINE_integer("seed", 0, "Of partitions that are not published.")
flags.DEFINE_string("label_words", "", "Meaning of the corpora's labels, as train.py's.")
flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora and of their features.")
flags.DEFINE_string("out", None, "Folder of the results.", required=True)
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Score the SVM, and print a table."""
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}")
    logging.set_verbosity(logging.WARNING)
    with command("transferable", again="stopped; the same command goes on with the next clip"):
        from emojax.data.prepared import find_corpora
        from emojax.evaluation.score_files import table
        from emojax.experiments.transferable.svms import score_svm

        data_dir, out = (Path(path).expanduser() for path in (FLAGS.data_dir, FLAGS.out))
        sources, target = (
            {name: one.path for name, one in find_corpora(names, data_dir).items()} if names else {}
            for names in (FLAGS.corpora, [FLAGS.target] if FLAGS.target else [])
        )
        typed = shlex.join(["python", "-m", "emojax.experiments.transferable", *sys.argv[1:]])
        division = {name: FLAGS[name].value for name in ("partition", "seed", "label_words")}
        print(table([score_svm(sources, target, data_dir / "features", out, typed, **division)]))


if __name__ == "__main__":
    app.run(main)
