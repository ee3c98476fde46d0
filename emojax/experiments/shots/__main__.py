"""One system on one fold: ``python -m emojax.experiments.shots --system=adapt ...``."""

import shlex
import sys
from pathlib import Path
from typing import Any

from absl import app, flags, logging

from emojax.command_line import command
from emojax.compilation import use_compilation_cache
from emojax.cpu import use_fast_allocator

flags.DEFINE_string("system", None, "scratch, adapt, or the features of an SVM.", required=True)
flags.DEFINE_string("corpus", None, "Name of the corpus.", required=True)
flags.DEFINE_string("partition", None, "A fold, fold:I/K.", required=True)
flags.DEFINE_integer("seed", 0, "Of the fold, of the choice of clips and of the network.")
flags.DEFINE_string("shots", None, "Numbers of clips a label, with | between.", required=True)
flags.DEFINE_string("config", "", "Settings of a network.")
flags.DEFINE_string("base", "", "adapt: the trained model.")
flags.DEFINE_string("label_words", "", "Meaning of the corpus's labels, as train.py's.")
flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")
flags.DEFINE_string("out", None, "Folder of the results.", required=True)
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Train and score the system for each number of clips that has no results yet."""
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}")
    use_fast_allocator()  # both before jax is imported
    use_compilation_cache()
    logging.set_verbosity(logging.WARNING)
    with command("shots", again="stopped; the same command goes on where it was"):
        from emojax.experiments.shots.run import Task, run

        given: dict[str, Any] = {name: FLAGS[name].value for name in Task.__dataclass_fields__}
        places = {name: Path(given[name]).expanduser() for name in ("data_dir", "out")}
        task = Task(**given | places | {"shots": tuple(FLAGS.shots.split("|"))})
        run(task, shlex.join(["python", "-m", "emojax.experiments.shots", *sys.argv[1:]]))


if __name__ == "__main__":
    app.run(main)
