"""Score a trained run on the test part of every corpus: ``python evaluate.py --workdir=...``."""

import shlex
import sys

from absl import app, flags, logging

from emojax.command_line import command
from emojax.compilation import use_compilation_cache
from emojax.cpu import use_fast_allocator

flags.DEFINE_string(
    "workdir", "runs/quickstart", "Folder of the trained run; results are written into it."
)
flags.DEFINE_enum("part", "test", ["test", "devel"], "The part to score; score test once.")
flags.DEFINE_enum(
    "state",
    "best",
    ["best", "latest"],
    "Best on devel, or where training ended, scored into a folder latest.",
)
flags.DEFINE_string("data_dir", None, "Folder of the prepared corpora, if it moved since training.")
flags.DEFINE_bool(
    "crop", False, "Only the middle 5 s of longer utterances, as the EmoNet paper does."
)
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Score the run, and print the table."""
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}")
    use_fast_allocator()  # both before jax is imported
    use_compilation_cache()
    logging.set_verbosity(logging.WARNING)
    with command("evaluate.py", again="stopped; nothing was written"):
        from emojax.evaluation.evaluator import evaluate
        from emojax.evaluation.scores import score_tables

        typed = shlex.join(["python", *sys.argv])
        results = evaluate(
            FLAGS.workdir, FLAGS.part, FLAGS.crop, typed, FLAGS.state, FLAGS.data_dir
        )
        print(score_tables(results))


if __name__ == "__main__":
    app.run(main)
