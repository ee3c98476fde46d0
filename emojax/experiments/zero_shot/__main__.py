"""One answer of the experiment: ``python -m emojax.experiments.zero_shot --model=... ...``."""

import shlex
import sys
from pathlib import Path

from absl import app, flags, logging

from emojax.command_line import command
from emojax.compilation import use_compilation_cache
from emojax.cpu import use_fast_allocator

flags.DEFINE_string("model", None, "Folder of a model with the head emotion.", required=True)
flags.DEFINE_string("corpus", None, "Name of a corpus that it never saw.", required=True)
flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")
flags.DEFINE_string("out", None, "Folder of the results.", required=True)
flags.DEFINE_string("label_words", "", "Meaning of the corpus's labels, as train.py's.")
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Score the model, and print a table for each of the two answers."""
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}")
    use_fast_allocator()  # both before jax is imported
    use_compilation_cache()
    logging.set_verbosity(logging.WARNING)
    with command("zero_shot", again="stopped; nothing was written"):
        from emojax.data.prepared import find_corpora
        from emojax.evaluation.score_files import table
        from emojax.experiments.zero_shot.scoring import score_unseen

        name, model, out = FLAGS.corpus, *map(_path, (FLAGS.model, FLAGS.out))
        (corpus,) = find_corpora([name], _path(FLAGS.data_dir)).values()
        typed = shlex.join(["python", "-m", "emojax.experiments.zero_shot", *sys.argv[1:]])
        found = score_unseen(model, name, corpus, out, FLAGS.label_words, typed)
        for answer, results in found.items():
            print(f"{answer}\n{table(results)}")


def _path(text: str) -> Path:
    return Path(text).expanduser()


if __name__ == "__main__":
    app.run(main)
