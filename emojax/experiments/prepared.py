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
    way = f"to prepare one: python -m datasets NAME --source_dir=DIR --data_dir={data_dir}"
    if not folders:
        raise ValueError(f"no corpus is prepared in {data_dir}; {way}")
    if unknown:
        asked = ", ".join(map(repr, unknown))
        raise ValueError(
            f"corpus {asked} is not prepared in {data_dir}; there are {', '.join(folders)}; {way}"
        )
    return {name: open_corpus(folders[name]) for name in names or folders}
