"""Trained models of a run, a published folder, the package or the hub.

The models of the package are the folders beside this file. Each has its own licence.
"""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, Union

from emojax.files import printable, size_in_words
from emojax.manifests import CHECKPOINTS
from emojax.weights import CONFIG_FILE, MAX_BYTES, PublishedModel, is_published, open_model

if TYPE_CHECKING:
    from emojax.checkpoints import Checkpoint

HUB = "hf:"
_HERE = Path(__file__).parent
Trained = Union["Checkpoint", PublishedModel]
Found = TypeVar("Found")


def names() -> list[str]:
    """Return the names of the models of the package."""
    return sorted(path.parent.name for path in _HERE.glob(f"*/{CONFIG_FILE}"))


def from_trained(model: str | os.PathLike, read: Callable[[Trained], Found]) -> Found:
    """Apply ``read`` to a trained model: a published one, or the newest checkpoint of a run.

    Args:
      model: name or folder, as for :func:`find`.
      read: function of the model; it may be called again with an older checkpoint.

    Raises:
      ValueError: there is no such model, or it is damaged.
    """
    folder = find(model)
    if is_published(folder) and not (folder / CHECKPOINTS).is_dir():  # a run may hold other files
        return read(open_model(folder))
    from emojax.checkpoints import from_newest  # takes half a second; only runs need it

    return from_newest(folder, read)


def read_manifest(model: str | os.PathLike) -> dict:
    """Read the manifest of a trained model; arguments and errors are those of ``from_trained``."""
    return from_trained(model, lambda trained: trained.manifest)


def find(model: str | os.PathLike) -> Path:
    """Return the folder of a trained model.

    Args:
      model: name of a model of the package, ``hf:OWNER/NAME`` for a model on the Hugging Face hub,
        or a folder. For a folder with the name of a model of the package, give ``./NAME`` or a
        Path.

    Raises:
      ValueError: there is no such model; the message has the choices.
    """
    if isinstance(model, str) and model.startswith(HUB):
        return _fetched(model.removeprefix(HUB))
    folder = Path(model).expanduser()
    if isinstance(model, str) and model in names():
        if folder.is_dir():
            warnings.warn(f"{model} of the package is used, not the folder ./{model}", stacklevel=2)
        return _HERE / model
    if not folder.is_dir():
        raise ValueError(printable(f"{model} holds no checkpoint: {_choices(folder)}"))
    return folder


def _choices(path: Path) -> str:
    if path.exists():
        return f"it is a file; give its folder, {path.parent}"
    packaged = ", ".join(names()) or "this one has none"
    return (
        "there is no such folder; give the folder of a run or of a published model, "
        f"{HUB}OWNER/NAME, or the name of a model of the package ({packaged})"
    )


@functools.cache  # so that a process uses one revision, and asks the hub once
def _fetched(repository: str) -> Path:
    """Download a repository's newest published model; return its folder in the hub's cache."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ValueError(
            f'{HUB}{printable(repository)} needs huggingface_hub: pip install "emojax[hub]"'
        ) from None
    fetch = functools.partial(snapshot_download, repository, allow_patterns=[*MAX_BYTES])
    try:
        _check_sizes(fetch)
        return Path(fetch())
    except Exception as error:  # the hub's library also raises errors of its network library
        said = str(error).partition("\n")[0]
        raise ValueError(
            printable(
                f"{HUB}{repository} cannot be fetched ({said}); check the name and the network, or "
                "give a folder"
            )
        ) from None


def _check_sizes(fetch: Callable) -> None:
    try:
        files = fetch(dry_run=True)
    except OSError:  # without a network, the cache may have the files
        return
    for file in files:
        if (file.file_size or 0) > MAX_BYTES[file.filename]:
            raise ValueError(
                f"{file.filename} is larger than {size_in_words(MAX_BYTES[file.filename])}"
            )
