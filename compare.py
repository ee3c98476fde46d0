"""Is one system better than another on the same clips: ``python compare.py --workdirs=A,B``."""

from absl import app, flags

flags.DEFINE_list(
    "workdirs",
    None,
    "Two folders with a predictions.csv each, or patterns; a system of several is NAME=FOLDER,NAME=FOLDER.",
    required=True,
)
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Compare, and print the table."""
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}")
    try:
        from emojax.evaluation.comparison import compare, comparison_table
        from emojax.evaluation.score_files import parse_workdirs

        items = [item if "=" in item else f"{item}={item}" for item in FLAGS.workdirs]
        count = len({item.partition("=")[0] for item in items})
        if count != 2:
            raise ValueError(f"{count} systems given; give two folders: --workdirs=A,B")
        print(comparison_table(compare(parse_workdirs(items))))
    except ImportError as error:
        raise SystemExit(f'compare.py: {error}; pip install "emojax[statistics]"') from error
    except ValueError as error:
        raise SystemExit(f"compare.py: {error}") from error


if __name__ == "__main__":
    app.run(main)
