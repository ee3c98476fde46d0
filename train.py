"""Train one network on several corpora: ``python train.py --config=... --workdir=...``."""

import contextlib
from collections.abc import Iterator

from absl import app, flags, logging
from ml_collections import config_flags

from emojax.command_line import command
from emojax.compilation import use_compilation_cache
from emojax.cpu import use_fast_allocator


@contextlib.contextmanager
def settings_that_exist() -> Iterator[None]:
    """Turn ml_collections' AttributeError for an unknown ``--config.NAME`` into one clear line."""
    try:
        yield
    except AttributeError as error:
        raise SystemExit(
            f"train.py: no such setting: {error}; configs/base.py has them all"
        ) from None


with settings_that_exist():
    config_flags.DEFINE_config_file(
        "config", "configs/quickstart.py", "Settings of the run.", lock_config=True
    )
flags.DEFINE_string("workdir", "runs/quickstart", "Folder of checkpoints, metrics and results.")
flags.DEFINE_bool(
    "profile", False, "Trace a few steps into WORKDIR/profile, for Perfetto or TensorBoard."
)
flags.DEFINE_string(
    "coordinator",
    "",
    "For a run of several processes: HOST:PORT of process 0, or auto on SLURM and TPU pods.",
)
flags.DEFINE_integer("processes", None, "Number of processes; not with auto.")
flags.DEFINE_integer("process", None, "Index of this process, from 0; not with auto.")
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Prepare the corpora if needed, then train."""
    if len(argv) > 1:
        raise app.UsageError(
            f"unknown arguments {argv[1:]}; settings are given as --config.NAME=VALUE"
        )
    use_fast_allocator()  # both before jax is imported
    use_compilation_cache()
    logging.set_verbosity(logging.WARNING)
    again = "stopped; the same command goes on from the last checkpoint"
    with command("train.py", again=again, several=bool(FLAGS.coordinator)):
        from emojax.config import read_config

        config = read_config(FLAGS.config.to_dict())  # before anything slow is imported
        import datasets
        from emojax.multihost import first_goes_ahead, join

        join(FLAGS.coordinator, FLAGS.processes, FLAGS.process)
        with first_goes_ahead("prepared"):
            paths = datasets.prepare(**vars(config.paths))
        from emojax.training.loop import train

        train(config, FLAGS.workdir, paths, FLAGS.profile)


def parse(argv: list[str]) -> list[str]:
    """Parse the flags; unknown settings raise their error here."""
    with settings_that_exist():
        return app.parse_flags_with_usage(argv)


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
