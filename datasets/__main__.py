"""Prepare corpora for training.

Usage: ``python -m datasets CORPORA --source_dir=DIR --data_dir=DIR [--download] [--allow_bad]``.

CORPORA is a comma-separated list: ``emodb,casia`` or ``mine=recordings/labels.csv``. Put an item
that contains a comma in double quotes: ``'"mine=calls, 2024/labels.csv"'``. See
``datasets.prepare``.
"""

from absl import app, flags, logging

from emojax.command_line import command

_SOURCE_DIR = flags.DEFINE_string(
    "source_dir", "corpora", "Folder that holds the publishers' folders."
)
_DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder for the prepared corpora.")
_DOWNLOAD = flags.DEFINE_bool(
    "download", False, "First fetch the publishers' folders that are not there."
)
_ALLOW_BAD = flags.DEFINE_bool(
    "allow_bad", False, "Prepare even if more than 5 % of the files are left out."
)


def main(argv: list[str]) -> None:
    """Prepare the corpora that the argument names."""
    if len(argv) != 2:
        raise app.UsageError("give the corpora as one comma-separated argument")
    logging.set_verbosity(logging.WARNING)
    again = "stopped; unfinished corpora are removed, complete downloads are kept"
    with command("datasets", again=again):
        from datasets import prepare

        prepare(argv[1], _SOURCE_DIR.value, _DATA_DIR.value, _ALLOW_BAD.value, _DOWNLOAD.value)


if __name__ == "__main__":
    app.run(main)
