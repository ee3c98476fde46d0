"""Compare two systems on the same clips: ``python compare.py --workdirs=A,B``."""

from absl import app, flags

from emojax.command_line import command

flags.DEFINE_list(
    "workdirs",
    None,
    "Two folders with a predictions.csv each, or patterns; "
    "a system of several is NAME=FOLDER,NAME=FOLDER.",
    required=True,
)
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Compare the two systems and print the table."""
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}")
    with command("compare.py", again="stopped"):
        items = [item if "=" in item else f"{item}={item}" for item in FLAGS.workdirs]
        count = len({item.partition("=")[0] for item in items})
        if count != 2:
            raise ValueError(f"{count} systems given; give two folders: --workdirs=A,B")
        from emojax.evaluation.score_files import parse_workdirs

        systems = parse_workdirs(items)
        from emojax.evaluation.comparison import compare, comparison_table
        from emojax.evaluation.number_files import NUMBERS_FILE

        print(comparison_table(compare(systems)))
        if any((folder / NUMBERS_FILE).exists() for some in systems.values() for folder in some):
            print(f"Domains of numbers ({NUMBERS_FILE}) are not compared.")


if __name__ == "__main__":
    app.run(main)
