"""Checkpoints on disk: one orbax item per subtree (the only module that uses orbax).

``checkpoints/STEP`` holds two states of a run: ``latest`` for resuming, ``best`` for inference.
Each state has an item for the shared subtree and one for every corpus. ``manifest`` (JSON)
describes the network. ``digests.json`` is written last: a step without it is not finished, and an
item with another digest is damaged.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import jax
import orbax.checkpoint as ocp

from emojax.corpora.spec import check_name
from emojax.files import replacing, sync
from emojax.manifests import CHECKPOINTS, check_manifest

FORMAT = 2
KEPT = 2  # steps on disk; the older one is used if the newest is damaged
DIGESTS_FILE = "digests.json"
_MEND = (
    "if a training run is replacing it just now, try again; otherwise copy it anew, or train again"
)
Tree = Any
Found = TypeVar("Found")


class DamagedCheckpointError(ValueError):
    """Error for a checkpoint that cannot be read; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Checkpoint of one step on disk.

    Attributes:
      path: folder of the step, with its number as name.
      manifest: description of the network: ``step``, ``format`` and the saved keys.
    """

    path: Path
    manifest: dict

    def restore(self, kind: str, like: Mapping[str, Tree]) -> dict[str, Tree]:
        """Load only the subtrees in ``like``.

        Args:
          kind: ``"latest"`` or ``"best"``.
          like: ``"shared"`` or a corpus's name → tree of the wanted structure (arrays or shapes);
            parts that are left out are not read.

        Raises:
          DamagedCheckpointError: a subtree is missing or has another shape.
        """
        items = {name: self.path / _item(kind, name) for name in like}
        missing = [name for name, item in items.items() if not item.is_dir()]
        if missing:
            raise DamagedCheckpointError(
                f"{self.path} has no {kind} state of {', '.join(missing)}; {_MEND}"
            )
        for item in items.values():
            _check_digest(item)
        return {name: _restore_item(item, like[name]) for name, item in items.items()}


class Checkpoints:
    """Checkpoints of a run, written in the background.

    Args:
      workdir: the run's folder.
    """

    def __init__(self, workdir: str | Path) -> None:
        self._directory = _directory(workdir)
        options = ocp.CheckpointManagerOptions(max_to_keep=KEPT, cleanup_tmp_directories=True)
        self._manager = ocp.CheckpointManager(self._directory, options=options)
        for step in self._manager.all_steps():
            if not (self._directory / str(step) / DIGESTS_FILE).is_file():
                self._manager.delete(step)  # left by a run that was killed while writing

    def newest(self) -> Path | None:
        """Return the folder of the newest step, or None."""
        step = self._manager.latest_step()
        return None if step is None else self._directory / str(step)

    def drop_after(self, step: int) -> None:
        """Remove later steps, which could not be read and will be written again."""
        for later in self._manager.all_steps():
            if later > step:
                self._manager.delete(later)

    def save(self, step: int, states: Mapping[str, Mapping[str, Tree]], manifest: Mapping) -> None:
        """Save a step, and return when it is on disk.

        An existing step is not written again, since a resumed run has the same bits.

        Args:
          step: step of the latest state.
          states: kind → ``"shared"`` or a corpus's name → subtree.
          manifest: entries of plain JSON types.

        Raises:
          ValueError: a later step exists.
        """
        if step in self._manager.all_steps():
            return
        arguments = {
            _item(kind, name): ocp.args.PyTreeSave(_as_dict(tree))
            for kind, trees in states.items()
            for name, tree in trees.items()
        }
        arguments["manifest"] = ocp.args.JsonSave({**manifest, "format": FORMAT, "step": step})
        if not self._manager.save(step, args=ocp.args.Composite(**arguments)):
            raise ValueError(
                f"{self._directory} holds a later step than {step}, of another run; "
                "use another --workdir"
            )
        self._manager.wait_until_finished()
        if jax.process_index() == 0:
            folder = self._directory / str(step)
            sync(folder)
            with replacing(folder / DIGESTS_FILE) as draft:
                draft.write_text(
                    json.dumps({item.name: _digest(item) for item in _items(folder)}, indent=1)
                )

    def close(self) -> None:
        """Release the folder."""
        self._manager.close()


def meet(name: str) -> None:
    """Wait for all processes of a run, at most a day; JAX's own barriers time out too early."""
    ocp.multihost.get_barrier_sync_fn()(key=name, timeout_ms=24 * 3600 * 1000)


def from_newest(workdir: str | Path, read: Callable[[Checkpoint], Found]) -> Found:
    """Apply ``read`` to the newest checkpoint, or to the one before it if that is damaged.

    Raises:
      ValueError: there is no checkpoint, or it has another format.
      DamagedCheckpointError: none can be read; the message is about the newest.
    """
    damaged: DamagedCheckpointError | None = None
    for path in _step_folders(workdir):
        try:
            found = read(Checkpoint(path, _read_manifest(path)))
        except DamagedCheckpointError as error:
            damaged = damaged or error
            continue
        if damaged:
            warnings.warn(f"{damaged}; using step {path.name} instead", stacklevel=2)
        return found
    raise damaged or ValueError(
        f"{workdir} holds no checkpoint; train one with `python train.py --workdir=...`"
    )


def read_manifest(workdir: str | Path) -> dict:
    """Read the manifest of the newest checkpoint; errors are those of :func:`from_newest`."""
    return from_newest(workdir, lambda checkpoint: checkpoint.manifest)


def _item(kind: str, name: str) -> str:
    return f"{kind}-shared" if name == "shared" else f"{kind}-corpus-{check_name(name)}"


def _as_dict(tree: Tree) -> Tree:
    """Convert a dataclass to a dict of its fields; other programs can then read the checkpoint.

    A field that is None is left out.
    """
    if not dataclasses.is_dataclass(tree):
        return tree
    fields = {field.name: getattr(tree, field.name) for field in dataclasses.fields(tree)}
    return {name: value for name, value in fields.items() if value is not None}


def _directory(workdir: str | Path) -> Path:
    return Path(workdir).absolute() / CHECKPOINTS


def _step_folders(workdir: str | Path) -> list[Path]:
    """List the finished steps on disk, newest first."""
    directory = _directory(workdir)
    steps = ocp.utils.checkpoint_steps(directory) if directory.is_dir() else []
    folders = [directory / str(step) for step in sorted(steps, reverse=True)]
    return [folder for folder in folders if (folder / DIGESTS_FILE).is_file()]


def _items(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()]


def _digest(item: Path) -> str:
    """Compute the digest of the names and contents of an item's files."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(path for path in item.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(item)}\0{path.stat().st_size}\0".encode())
        with open(path, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def _check_digest(item: Path) -> None:
    links = [path for path in [item, *item.rglob("*")] if path.is_symlink()]
    if links:
        raise ValueError(
            f"{links[0]} is a link, which no checkpoint has; copy what it leads to instead"
        )
    try:
        known = json.loads((item.parent / DIGESTS_FILE).read_text("utf-8"))[item.name]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedCheckpointError(
            f"{item}: its digest cannot be read ({error!r}); {_MEND}"
        ) from None
    if _digest(item) != known:
        raise DamagedCheckpointError(
            f"{item} is damaged: its files are not those that were saved; {_MEND}"
        )


def _read_manifest(path: Path) -> dict:
    try:
        manifest = ocp.Checkpointer(ocp.JsonCheckpointHandler()).restore(path / "manifest")
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedCheckpointError(
            f"{path}: the manifest cannot be read ({error}); {_MEND}"
        ) from error
    return check_manifest(manifest, FORMAT, path)


def _restore_item(path: Path, like: Tree) -> Tree:
    shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, _as_dict(like))
    arguments = ocp.args.PyTreeRestore(
        item=shapes,
        partial_restore=True,
        restore_args=ocp.checkpoint_utils.construct_restore_args(shapes),
    )
    try:
        restored = ocp.Checkpointer(ocp.PyTreeCheckpointHandler()).restore(path, args=arguments)
    except Exception as error:  # orbax may raise any error for an untrusted file
        said = str(error).partition("\n")[0]
        raise DamagedCheckpointError(
            f"{path} does not fit this network: {said}; {_MEND}"
        ) from error
    # Orbax returns the requested shape itself for an array that the checkpoint lacks.
    missing = [
        jax.tree_util.keystr(where)
        for where, leaf in jax.tree_util.tree_leaves_with_path(restored)
        if isinstance(leaf, jax.ShapeDtypeStruct)
    ]
    if missing:
        raise DamagedCheckpointError(
            f"{path} does not fit this network: it has no {', '.join(missing)}"
        )
    return _as_class(like, restored)


def _as_class(like: Tree, tree: dict[str, Tree]) -> Tree:
    """Convert a dict back to a dataclass; the inverse of :func:`_as_dict`."""
    if not dataclasses.is_dataclass(like) or isinstance(like, type):
        return tree
    return dataclasses.replace(like, **tree)
