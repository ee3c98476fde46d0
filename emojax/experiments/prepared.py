"""Prepared corpora by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emojax.corpora.listing import prepared
from emojax.data.prepared import PreparedCorpus, open_corpus


def find_corpora(names: Sequence[str], data_dir: Path) -> dict[str, PreparedCorpus]:
    """Name → corpus, in the order given; all that are prepared there, if no name is.

    Raises:
      ValueError: a corpus is not prepared there, or none is.
    """
    folders = prepared(data_dir)
    unknown = [name for name in names if name not in folders]
    if unknown or not folders:
        there = f"prepared there: {', '.join(folders)}" if folders else "nothing is prepared there"
        raise ValueError(
            f"corpus {', '.join(map(repr, unknown or names))} is not in {data_dir}; {there}; to prepare one: "
            f"python -m datasets NAME --source_dir=DIR --data_dir={data_dir}"
        )
    return {name: open_corpus(folders[name]) for name in names or folders}
