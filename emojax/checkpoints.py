"""Checkpoints on disk: one orbax item per subtree (the only room that knows orbax).

A run keeps two: ``checkpoints/latest`` to go on from, ``checkpoints/best`` to use.  Each step's folder holds
``shared``, a ``corpus-NAME`` per corpus, and ``manifest`` (JSON), which says what network this is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from emojax.corpora.spec import check_name

FORMAT = 1
_MEND = "if a training run is replacing it just now, try again; otherwise copy it anew, or train again"
Tree = Any


class Checkpoints:
    """The checkpoint of one kind (``latest`` or ``best``) of a run, written in the background.

    Args:
      workdir: of the run.
      kind: ``"latest"`` or ``"best"``.
      kept: how many steps stay on disk, the last ones.
    """

    def __init__(self, workdir: str | Path, kind: str, kept: int = 1) -> None:
        self._directory = Path(workdir).absolute() / "checkpoints" / kind
        options = ocp.CheckpointManagerOptions(max_to_keep=kept, cleanup_tmp_directories=True)
        self._manager = ocp.CheckpointManager(self._directory, options=options)

    def step(self) -> int | None:
        """The step that is saved, or None."""
        return self._manager.latest_step()

    def drop_after(self, step: int) -> None:
        """Remove what is of a later step, if something is of this or an earlier one."""
        steps = self._manager.all_steps()
        for later in steps:
            if later > step >= min(steps):
                self._manager.delete(later)

    def clear(self) -> None:
        """Remove all steps."""
        for step in self._manager.all_steps():
            self._manager.delete(step)

    def save(self, step: int, shared: Tree, corpora: Mapping[str, Tree], manifest: Mapping) -> None:
        """Begin to save; the arrays may be donated as soon as this returns.

        A step that is there already is left as it is: a resumed run writes the same bits again.

        Raises:
          ValueError: a later step is there.
        """
        if step in self._manager.all_steps():
            return
        items = {"shared": shared} | {_item(name): tree for name, tree in corpora.items()}
        arguments = {name: ocp.args.PyTreeSave(_as_dict(tree)) for name, tree in items.items()}
        arguments["manifest"] = ocp.args.JsonSave({**manifest, "format": FORMAT, "step": step})
        if not self._manager.save(step, args=ocp.args.Composite(**arguments)):
            raise ValueError(
                f"{self._directory} holds a later step than {step}, of another run; use another --workdir"
            )

    def folder(self) -> Path | None:
        """Folder of the step that is saved, which it is named after, or None."""
        step = self.step()
        return None if step is None else self._directory / str(step)

    def wait(self) -> None:
        """Return when everything begun is on disk."""
        self._manager.wait_until_finished()

    def close(self) -> None:
        """Finish what was begun and release the folder."""
        self._manager.close()


def meet(name: str) -> None:
    """Wait until all processes of a run are here, a day at most; devices would give up after seconds."""
    ocp.multihost.get_barrier_sync_fn()(key=name, timeout_ms=24 * 3600 * 1000)


def read_manifest(workdir: str | Path, kind: str) -> dict:
    """What the saved network is: ``step``, ``format`` and the caller's own keys.

    Raises:
      ValueError: there is no such checkpoint, or it is of another format.
    """
    path = _step_folder(workdir, kind)
    try:
        manifest = ocp.Checkpointer(ocp.JsonCheckpointHandler()).restore(path / "manifest")
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: the manifest cannot be read ({error}); {_MEND}") from error
    written = manifest.get("format") if isinstance(manifest, dict) else None
    if written != FORMAT:
        raise ValueError(
            f"{path}: checkpoint format {written!r}, this emojax reads {FORMAT}; "
            "use the emojax version that wrote it, or train again"
        )
    return manifest


def restore(workdir: str | Path, kind: str, like: Mapping[str, Tree]) -> dict[str, Tree]:
    """Load the subtrees asked for, and only those.

    Args:
      workdir: of the run.
      kind: ``"latest"`` or ``"best"``.
      like: ``"shared"`` or a corpus's name → tree of the wanted structure (arrays or shapes); a tree may
        leave parts out, which are then not read.

    Raises:
      ValueError: a subtree is not there, or is not of this shape.
    """
    path = _step_folder(workdir, kind)
    saved = {folder.name for folder in path.iterdir()}
    wanted = {name: name if name == "shared" else _item(name) for name in like}
    missing = sorted(name for name, item in wanted.items() if item not in saved)
    if missing:
        there = sorted(name.removeprefix("corpus-") for name in saved if name.startswith("corpus-"))
        raise ValueError(f"{path} has no {', '.join(missing)}; it has the corpora {', '.join(there)}")
    return {name: _restore_item(path / item, like[name]) for name, item in wanted.items()}


def differences(saved: Mapping, wanted: Mapping, prefix: str = "") -> list[str]:
    """What differs between two manifests, a line each, over the keys that are wanted.

    >>> differences({"config": {"width": 16}}, {"config": {"width": 32}})
    ['config.width: the checkpoint has 16, this run has 32']
    """
    lines: list[str] = []
    for key, value in wanted.items():
        if isinstance(value, Mapping) and isinstance(saved.get(key), Mapping):
            lines += differences(saved[key], value, f"{prefix}{key}.")
            lines += [
                f"{prefix}{key}.{extra}: only in the checkpoint" for extra in saved[key] if extra not in value
            ]
        elif saved.get(key) != value:
            lines.append(
                f"{prefix}{key}: the checkpoint has {saved.get(key, 'nothing')}, this run has {value}"
            )
    return lines


def check_same(saved: Mapping, wanted: Mapping, workdir: str | Path) -> None:
    """Raise a ValueError that lists every difference, if there is one."""
    lines = differences(saved, wanted)
    if lines:
        raise ValueError(
            f"the checkpoint in {workdir} is of another network:\n  "
            + "\n  ".join(lines)
            + "\nuse another --workdir, or the settings of the checkpoint"
        )


def _item(name: str) -> str:
    return f"corpus-{check_name(name)}"


def _as_dict(tree: Tree) -> Tree:
    """A dataclass as a dict of its fields, so that a reader needs no class of ours."""
    if not dataclasses.is_dataclass(tree):
        return tree
    return {field.name: getattr(tree, field.name) for field in dataclasses.fields(tree)}


def _step_folder(workdir: str | Path, kind: str) -> Path:
    directory = Path(workdir).absolute() / "checkpoints" / kind
    steps: Iterable[int] = ocp.utils.checkpoint_steps(directory) if directory.is_dir() else ()
    if not steps:
        raise ValueError(
            f"{workdir} holds no {kind} checkpoint; train one with `python train.py --workdir=...`"
        )
    return directory / str(max(steps))


def _restore_item(path: Path, like: Tree) -> Tree:
    shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, _as_dict(like))
    arguments = ocp.args.PyTreeRestore(
        item=shapes,
        partial_restore=True,
        restore_args=ocp.checkpoint_utils.construct_restore_args(shapes),
    )
    try:
        restored = ocp.Checkpointer(ocp.PyTreeCheckpointHandler()).restore(path, args=arguments)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} does not fit this network, or is damaged: {error}; {_MEND}") from error
    # Orbax hands back what was asked for where the checkpoint has no such array.
    missing = [
        jax.tree_util.keystr(where)
        for where, leaf in jax.tree_util.tree_leaves_with_path(restored)
        if isinstance(leaf, jax.ShapeDtypeStruct)
    ]
    if missing:
        raise ValueError(f"{path} does not fit this network: it has no {', '.join(missing)}")
    return _as_class(like, restored)


def _as_class(like: Tree, tree: dict[str, Tree]) -> Tree:
    """The inverse of :func:`_as_dict`."""
    if not dataclasses.is_dataclass(like) or isinstance(like, type):
        return tree
    return dataclasses.replace(like, **tree)
