"""tfds builders of speech corpora, and ``prepare``, which gets them ready for training."""

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
    """Prepare what is not prepared yet, and print a summary of each corpus.

    Args:
      corpora: comma separated; each ``NAME``, which lies at ``source_dir/NAME``, or ``NAME=PATH``.
        The path is a folder in the publisher's layout where the name is one of emoset's, and else a
        CSV file or a folder that holds one, or a ``train.csv``, ``devel.csv`` and ``test.csv``, or
        an audformat database. ``synthetic`` stands for all synthetic corpora. As in a CSV, an item
        with a comma in it stands in double quotes.
      source_dir: the folder that the publishers' folders lie in.
      data_dir: the folder that prepared corpora lie in, as tfds lays it out.
      allow_bad: prepare a corpus even if more than 5 % of its files are left out.
      download: first fetch the publishers' folders that are not there, of corpora that are not
        prepared.

    Returns:
      name → folder of the prepared corpus, in the order given.

    Raises:
      CorpusError: for an unknown name, a name of another corpus that is prepared there, a folder or
        CSV that is not as expected, a disk that cannot be read or written, or too many bad files.
        Nothing half-prepared stays.
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
    """Refuse a second folder of one name: nobody could say which of them is meant."""
    for order in orders:
        others = [
            folder for folder in prepared_folders(data_dir, order.name) if folder != order.folder
        ]
        if others:
            raise CorpusError(
                f"{order.name}: {others[0]} is a prepared corpus of this name, beside which {order.folder} "
                "would be a second one; give that with the CSV another name, as in "
                f"my_{order.name}=PATH, or remove one of these folders"
            )


def _fetch_missing(orders: Iterable[Order]) -> None:
    """Fetch what is neither here nor prepared, once it is sure that all of it can be fetched."""
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
    """Prepare what is not there as it should be; which corpora that were, and what is to be said of them."""
    builders = _outdated(orders, data_dir, allow_bad)
    for builder in builders.values():
        _ = builder.listing  # every wrong folder shows before the first hour of decoding
    if not builders:
        return {}
    data_dir.mkdir(parents=True, exist_ok=True)
    with alone(data_dir):
        # Somebody else may have prepared them while this process waited.
        builders = _outdated(builders, data_dir, allow_bad)
        for order, builder in builders.items():
            _prepare(builder, order.folder)
    return {order: builder.remarks for order, builder in builders.items()}


def _outdated(
    orders: Iterable[Order], data_dir: Path, allow_bad: bool
) -> dict[Order, SpeechBuilder]:
    """A builder for each corpus that is not prepared, or was prepared from something else.

    What was prepared is used without its source: it may lie on another machine.
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
    return builders


def _is_prepared(folder: Path, builder: SpeechBuilder) -> bool:
    """Whether a folder was prepared from what the builder has, to the last recording."""
    if not folder.exists() or read_metadata(folder).get("fingerprint") != builder.prepared_from:
        return False
    return are_same(folder, paths_of(builder.listing))


def _prepare(builder: SpeechBuilder, folder: Path) -> None:
    """Prepare in the scratch folder, then put the result in the place of what may be there."""
    try:
        with _tfds_silenced():
            builder.download_and_prepare()
    except RuntimeError as error:  # array_record's, of a disk that is full or fails
        said = " ".join(str(error).split())
        raise CorpusError(f"{builder.spec.name} cannot be written: {said}") from error
    new = Path(builder.data_dir)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(new.with_name("old"))
    new.rename(folder)


@contextlib.contextmanager
def _tfds_silenced() -> Iterator[None]:
    """Without tfds's own progress bars, and its account of a download that does not take place."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    tfds.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tfds.enable_progress_bar()
        logging.set_verbosity(verbosity)
