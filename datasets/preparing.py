"""Preparation of corpora: find, fetch, decode, and put the result in place."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import tensorflow_datasets as tfds
from absl import logging

from datasets.base import CorpusError, SpeechBuilder
from datasets.download import check_fetchable, fetch
from datasets.emoset import emoset_dataset_builder as emoset
from datasets.orders import Order, read_orders
from datasets.recordings import are_same, paths_of
from datasets.scratch import SCRATCH, alone
from datasets.summary import headline, read_metadata, summary
from emojax.corpora.catalogue import CATALOGUE
from emojax.corpora.listing import prepared_folders
from emojax.files import printable

__all__ = ["CorpusError", "prepare"]


def prepare(
    corpora: str,
    source_dir: str | Path,
    data_dir: str | Path,
    allow_bad: bool = False,
    download: bool = False,
) -> dict[str, Path]:
    """Prepare the corpora that are not prepared yet, and print a summary of each.

    Args:
      corpora: comma-separated items. An item is ``NAME``, which is read from ``source_dir/NAME``,
        or ``NAME=PATH``. For a corpus of emoset the path is a folder in the publisher's layout or
        a CSV file. For any other it is a CSV file; a folder with one CSV, or with ``train.csv``,
        ``devel.csv`` and ``test.csv``; or an audformat database. ``synthetic`` means all
        synthetic corpora. Put an item that contains a comma in double quotes.
      source_dir: folder that contains the publishers' folders.
      data_dir: folder of the prepared corpora, in the layout of tfds.
      allow_bad: prepare a corpus even if more than 5 % of its files are left out.
      download: first download the missing publishers' folders of corpora that are not prepared.

    Returns:
      name → folder of the prepared corpus, in the order given.

    Raises:
      CorpusError: an unknown name, a name that another prepared corpus has, an unexpected folder or
        CSV, a disk that cannot be read or written, or too many bad files. No half-prepared corpus
        is left behind.
    """
    data_dir = Path(data_dir).expanduser()
    try:
        orders = read_orders(corpora, Path(source_dir).expanduser(), data_dir)
        _refuse_namesakes(orders, data_dir)
        if download:
            _fetch_missing(orders)
        made = _prepare_all(orders, data_dir, allow_bad)
    except OSError as error:
        raise CorpusError(f"{error.filename or data_dir}: {error.strerror or error}") from error
    for order in orders:
        print(summary(order.folder) if order in made else headline(order.folder), flush=True)
        for remark in made.get(order, []):
            print(f"  {printable(remark)}", flush=True)
    return {order.name: order.folder for order in orders}


def _refuse_namesakes(orders: Iterable[Order], data_dir: Path) -> None:
    """Refuse a second prepared corpus with the same name, because a name must be unique."""
    for order in orders:
        others = [
            folder for folder in prepared_folders(data_dir, order.name) if folder != order.folder
        ]
        if others:
            raise CorpusError(
                f"{order.name}: {others[0]} is a prepared corpus of this name, beside which "
                f"{order.folder} would be a second one; give that with the CSV another name, as in "
                f"my_{order.name}=PATH, or remove one of these folders"
            )


def _fetch_missing(orders: Iterable[Order]) -> None:
    """Download corpora that are neither on disk nor prepared, if all of them can be downloaded."""
    missing = [
        order
        for order in orders
        if order.builder is emoset.Builder and not (order.source.exists() or order.folder.exists())
    ]
    for order in missing:
        check_fetchable(CATALOGUE[order.name])
    for order in missing:
        fetch(CATALOGUE[order.name], order.source)


def _prepare_all(
    orders: Iterable[Order], data_dir: Path, allow_bad: bool
) -> dict[Order, list[str]]:
    """Prepare the missing or outdated corpora, and return them with their remarks."""
    builders = _outdated(orders, data_dir, allow_bad)
    for builder in builders.values():
        _ = builder.listing  # Find every wrong folder before hours of decoding.
    if not builders:
        return {}
    data_dir.mkdir(parents=True, exist_ok=True)
    with alone(data_dir):
        # Another process may have prepared them while this one waited.
        builders = _outdated(builders, data_dir, allow_bad)
        for order, builder in builders.items():
            _prepare(builder, order.folder)
    return {order: builder.confounds + builder.remarks for order, builder in builders.items()}


def _outdated(
    orders: Iterable[Order], data_dir: Path, allow_bad: bool
) -> dict[Order, SpeechBuilder]:
    """Return a builder for each corpus that is not prepared, or whose source has changed.

    A prepared corpus is used without its source, which may be on another machine.
    """
    builders = {}
    for order in orders:
        if order.folder.exists() and not order.source.exists():
            continue
        with _tfds_silenced():
            builder = order.builder(
                config=order.name,
                source_dir=order.source,
                data_dir=data_dir / SCRATCH,
                allow_bad=allow_bad,
            )
        if not _is_prepared(order.folder, builder):
            builders[order] = builder
            continue
        with contextlib.suppress(OSError):  # a folder that cannot be written may have what it needs
            builder.write_columns(order.folder)
    return builders


def _is_prepared(folder: Path, builder: SpeechBuilder) -> bool:
    """Return whether a folder was prepared from exactly the recordings of the builder."""
    if not folder.exists() or read_metadata(folder).get("fingerprint") != builder.prepared_from:
        return False
    return are_same(folder, paths_of(builder.listing))


def _prepare(builder: SpeechBuilder, folder: Path) -> None:
    """Prepare in the scratch folder, then replace the folder with the result."""
    try:
        with _tfds_silenced():
            builder.download_and_prepare()
    except RuntimeError as error:  # array_record raises it if the disk is full or fails.
        said = " ".join(str(error).split())
        raise CorpusError(f"{builder.spec.name} cannot be written: {said}") from error
    new = Path(builder.data_dir)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(new.with_name("old"))
    new.rename(folder)


@contextlib.contextmanager
def _tfds_silenced() -> Iterator[None]:
    """Hide the progress bars of tfds and its messages about downloads, as nothing is downloaded."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tfds.enable_progress_bar()
        logging.set_verbosity(verbosity)
