"""Orders: the corpora to prepare, each with its builder, source and target folder."""

from __future__ import annotations

import csv
import dataclasses
import importlib
from pathlib import Path

from datasets.base import SpeechBuilder
from datasets.emoset import emoset_dataset_builder as emoset
from datasets.errors import CorpusError
from datasets.manifest import manifest_dataset_builder as manifest
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.spec import check_name

_QUOTES = (
    "a path with a comma stands in double quotes, as in "
    """'"calls=my calls, 2024/labels.csv",emodb'"""
)


@dataclasses.dataclass(frozen=True)
class Order:
    """One corpus to prepare, with its builder, source and target folder."""

    name: str
    builder: type[SpeechBuilder]
    source: Path
    folder: Path


def read_orders(corpora: str, source_dir: Path, data_dir: Path) -> list[Order]:
    """Parse the argument ``corpora`` of ``datasets.prepare``; CorpusError for a wrong name."""
    orders: dict[str, Order] = {}
    for item in _items(corpora):
        for name in _synthetic().builder_configs if item == "synthetic" else [item]:
            order = _order(name, source_dir, data_dir)
            if order.name in orders:
                raise CorpusError(
                    f"{order.name}: named twice in {corpora!r}; name each corpus once"
                )
            orders[order.name] = order
    if not orders:
        raise CorpusError(f"no corpus named in {corpora!r}; {_known()}")
    return list(orders.values())


def _items(corpora: str) -> list[str]:
    """Split the list at its commas, but not within double quotes.

    >>> _items('emodb, "calls=my calls, 2024/labels.csv"')
    ['emodb', 'calls=my calls, 2024/labels.csv']
    """
    try:
        lines = list(csv.reader([corpora], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise CorpusError(f"corpora {corpora!r}: {error}; {_QUOTES}") from None
    return [item.strip() for line in lines for item in line if item.strip()]


def _order(item: str, source_dir: Path, data_dir: Path) -> Order:
    name, is_path_given, path = item.partition("=")
    try:
        check_name(name)
    except ValueError as error:
        raise CorpusError(f"{error}; {_QUOTES}") from None
    source = Path(path).expanduser() if is_path_given else source_dir / name
    builder = _builder(name, source)
    order = Order(name, builder, source, data_dir / builder.name / name / str(builder.VERSION))
    if builder is manifest.Builder and not (
        is_path_given or source.exists() or order.folder.exists()
    ):
        raise CorpusError(_unknown(name))
    return order


def _builder(name: str, source: Path) -> type[SpeechBuilder]:
    if source.suffix.lower() in (".csv", ".tsv", ".parquet") and not source.is_dir():
        return manifest.Builder
    if name in emoset.CORPORA and not source.is_file():
        return emoset.Builder
    if (
        name.startswith("synthetic-")
        and not source.exists()
        and name in _synthetic().builder_configs
    ):
        return _synthetic()
    return manifest.Builder


def _synthetic() -> type[SpeechBuilder]:
    """Import the synthetic builder only when it is used, as it needs an optional package."""
    return importlib.import_module("datasets.synthetic.synthetic_dataset_builder").Builder


def _unknown(name: str) -> str:
    """Return the error message for a name without a path that cannot be prepared."""
    if name not in CATALOGUE:
        return f"unknown corpus {name!r}; {_known()}"
    spec = CATALOGUE[name]
    return (
        f"{name}: there is no parser for the files of {spec.full_name} here; give {name}=PATH, "
        "where PATH is a CSV with the columns file,label,speaker or a folder that holds it; where "
        f"to get it: {spec.source} (licence: {spec.licence})"
        f"{f'; note: {spec.notes}' * bool(spec.notes)}"
    )


def _known() -> str:
    return (
        f"known are {', '.join(emoset.CORPORA)} and synthetic; any other needs NAME=PATH, where "
        "PATH is a CSV with the columns file,label or a folder that holds it; all corpora that "
        f"have a name here: emojax corpora; {_QUOTES}"
    )
