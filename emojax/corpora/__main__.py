"""List all known corpora: ``python -m emojax.corpora [--data_dir=DIR]``."""

from pathlib import Path

from absl import app, flags

from emojax.corpora.listing import listing

_DATA_DIR = flags.DEFINE_string("data_dir", "data", "Folder of the prepared corpora.")


def main(argv: list[str]) -> None:
    """Print what is prepared, what is missing, and how to get it."""
    if len(argv) != 1:
        raise app.UsageError("there is no argument but --data_dir")
    try:
        print(listing(Path(_DATA_DIR.value).expanduser()))
    except ValueError as error:
        raise SystemExit(f"emojax.corpora: {error}") from None


if __name__ == "__main__":
    app.run(main)
