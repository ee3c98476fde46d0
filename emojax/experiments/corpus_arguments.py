"""Corpora as command-line arguments: ``NAME`` or ``NAME=PATH``."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from emojax.corpora.spec import check_name


def parse_corpora(items: Iterable[str]) -> dict[str, str]:
    """Map the name of each corpus of a list to its item, ``NAME`` or ``NAME=PATH``.

    Raises:
      ValueError: a name is invalid or given twice.

    >>> parse_corpora(["emodb", "mine=recordings/labels.csv"])
    {'emodb': 'emodb', 'mine': 'mine=recordings/labels.csv'}
    """
    corpora: dict[str, str] = {}
    for item in filter(None, map(str.strip, items)):
        name = check_name(item.partition("=")[0])
        if name in corpora or item == "synthetic":
            raise ValueError(f"{item!r}: name each corpus once, as it is called in its tables")
        corpora[name] = item
    return corpora


def parse_bases(items: Iterable[str], corpora: Mapping[str, str]) -> dict[str, str]:
    """Parse items as :func:`parse_corpora` does; a name in ``corpora`` stands for that corpus.

    Raises:
      ValueError: as :func:`parse_corpora`, or a name in ``corpora`` has another path.

    >>> parse_bases(["x"], {"x": "x=x.csv"})
    {'x': 'x=x.csv'}
    """
    bases = parse_corpora(items)
    for name, item in bases.items():
        if item not in (name, corpora.get(name, item)):
            raise ValueError(
                f"--base_corpora={item} is another corpus than {corpora[name]} of --corpora; "
                f"give --base_corpora={name}, or give one of them another name"
            )
    return {name: corpora.get(name, item) for name, item in bases.items()}


def join_items(items: Iterable[str]) -> str:
    """Join items into one argument, with double quotes around those that have a comma.

    >>> join_items(["emodb", "calls=my calls, 2024/labels.csv"])
    'emodb,"calls=my calls, 2024/labels.csv"'
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(items)
    return text.getvalue()


def prepare(items: Iterable[str], source_dir: str, data_dir: str) -> None:
    """Prepare missing corpora in a subprocess, since emojax never imports ``datasets``.

    Raises:
      ValueError: a corpus cannot be prepared; the message is that of ``python -m datasets``.
    """
    if not Path("train.py").is_file():
        raise ValueError(
            "there is no train.py here; run this in the folder that holds it, a checkout of emojax"
        )
    corpora = join_items(items)
    places = f"--source_dir={source_dir}", f"--data_dir={data_dir}"
    command = [sys.executable, "-m", "datasets", corpora, *places]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        said = done.stderr.rpartition("datasets: ")[2].strip()
        raise ValueError(said or f"python -m datasets {corpora} failed")


def prepared_names(items: Iterable[str], source_dir: str, data_dir: str) -> list[str]:
    """Return the names of the corpora, after preparing missing ones that have a path.

    Raises:
      ValueError: as :func:`parse_corpora` and :func:`prepare`.
    """
    corpora = parse_corpora(items)
    with_path = [item for name, item in corpora.items() if item != name]
    if with_path:
        prepare(with_path, source_dir, data_dir)
    return list(corpora)
