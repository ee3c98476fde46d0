"""The recordings that a person names: files, and folders of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from emojax.audio.reading import SUFFIXES
from emojax.files import printable


def find_recordings(names: Iterable[str]) -> list[str]:
    """Return the files, and those in the folders, each once; a folder's are in order.

    Args:
      names: files of any name; of a folder, all files that end in ``SUFFIXES`` at any depth.

    Raises:
      ValueError: a name is neither a file nor a folder, or a folder has no recordings.
    """
    found: dict[str, None] = {}
    for name in names:
        if os.path.isdir(name):
            found |= dict.fromkeys(_in_folder(Path(name)))
        elif os.path.exists(name):
            found[name] = None
        else:
            raise ValueError(f"{printable(name)}: no such file or folder")
    return list(found)


def _in_folder(folder: Path) -> list[str]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise ValueError(f"{printable(str(folder))} has no files that end in {', '.join(SUFFIXES)}")
    return [str(path) for path in paths if path.is_file()]
