"""Is one run better than another on the same clips: ``python compare.py --workdirs=A,B``."""

from absl import app, flags

flags.DEFINE_list("workdirs", None, "Two folders with a predictions.csv each.", required=True)
FLAGS = flags.FLAGS


def main(argv: list[str]) -> None:
    """Compare, and print the table."""
    if len(argv) > 1 or len(FLAGS.workdirs) != 2:
        raise app.UsageError("give two folders: --workdirs=A,B")
    try:
        from emojax.evaluation.compare import compare, comparison_table

        print(comparison_table(compare(*FLAGS.workdirs)))
    except ImportError as error:
        raise SystemExit(f'compare.py: {error}; pip install "emojax[statistics]"') from error
    except ValueError as error:
        raise SystemExit(f"compare.py: {error}") from error


if __name__ == "__main__":
    app.run(main)
