"""Checkpointing of a run: the latest and the best state, always saved together."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from emojax.checkpoints import Checkpoint, Checkpoints, from_newest, read_manifest
from emojax.config import completed
from emojax.manifests import check_same
from emojax.multihost import on_any_process
from emojax.training.averages import averaged
from emojax.training.schedule import EvalDecision, Schedule
from emojax.training.train_state import Corpus, EmoState, Shared, check_finite

Part = TypeVar("Part", Shared, Corpus)

# A killed run loses at most this much training, plus the time between two evaluations. When a round
# takes milliseconds, saving at each evaluation would take longer than training.
SAVE_EVERY_S = 60.0


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Contents of a checkpoint; no training step donates its arrays.

    Attributes:
      latest: the state to resume from.
      progress: name of a schedule → its progress.
      best: the state with the best devel UAR, with averaged weights if the run has them; None
        before the first evaluation.
      devel_uars: corpus → devel UAR of its best state.
    """

    latest: EmoState
    progress: Mapping[str, Schedule]
    best: EmoState | None
    devel_uars: Mapping[str, float]


class CheckpointKeeper:
    """Keeper of the best state in memory and, once a minute, of both states on disk.

    Args:
      workdir: the run's folder.
      manifest: description of the network; a folder with another one raises a ValueError.
    """

    def __init__(self, workdir: Path, manifest: dict) -> None:
        self._workdir, self._manifest = workdir, manifest
        self._checkpoints = Checkpoints(workdir)
        if self.begun:
            saved = read_manifest(workdir)
            check_same(_identity(saved), _identity(manifest), workdir)
        self._best: EmoState | None = None
        self._devel_uars: dict[str, float] = {}
        self._unsaved: Snapshot | None = None
        self._saved_s = -math.inf
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._under_way: Future | None = None

    @property
    def begun(self) -> bool:
        """True when there is a state to resume from."""
        return self._checkpoints.newest() is not None

    @property
    def best(self) -> EmoState:
        """The best state; there must have been an evaluation."""
        assert self._best is not None
        return self._best

    def resume(self, state: EmoState) -> tuple[EmoState, dict[str, Schedule]]:
        """Return the latest saved state and its progress; without one, ``state`` and {}."""
        if not self.begun:
            return state, {}
        snapshot = from_newest(self._workdir, lambda checkpoint: _restore(checkpoint, state))
        self._checkpoints.drop_after(snapshot.latest.step)
        self._best, self._devel_uars = snapshot.best, dict(snapshot.devel_uars)
        return snapshot.latest, dict(snapshot.progress)

    def keep(
        self,
        state: EmoState,
        progress: Mapping[str, Schedule],
        decision: EvalDecision,
        uars: Mapping[str, float],
    ) -> EmoState:
        """Update the best state; return the next state, in which restarted corpora are their best.

        Args:
          state: the evaluated state.
          progress: name of a schedule → its progress.
          decision: the outcome of the evaluation.
          uars: corpus → devel UAR, where there is a devel part.

        Raises:
          FloatingPointError: a number of the state is not finite.
        """
        check_finite(state)
        kept = _copied(state)
        if decision.improved:
            evaluated = averaged(kept)
            before = self._best or evaluated
            own = {name: evaluated.corpora[name] for name in decision.improved}
            self._best = dataclasses.replace(evaluated, corpora={**before.corpora, **own})
            self._devel_uars |= {name: uars[name] for name in decision.improved if name in uars}
        kept = self._with_best(kept, decision.restarted)
        self._unsaved = Snapshot(kept, dict(progress), self._best, dict(self._devel_uars))
        if on_any_process(time.monotonic() - self._saved_s > SAVE_EVERY_S):
            self.flush()
        return _copied(kept) if decision.restarted else state

    def _with_best(self, state: EmoState, names: Collection[str]) -> EmoState:
        """Replace some corpora, and the shared subtree, by their best state."""
        if not names or self._best is None:
            return state
        own = {name: self._best.corpora[name] for name in names}
        return EmoState(self._best.shared, {**state.corpora, **own}, state.step)

    def save(self, state: EmoState, progress: Mapping[str, Schedule]) -> None:
        """Start to save this state as the latest one, together with the best one.

        Raises:
          FloatingPointError: a number of the state is not finite; nothing is saved.
        """
        check_finite(state)
        kept = _copied(state)
        self._unsaved = Snapshot(kept, dict(progress), self._best, dict(self._devel_uars))
        self.flush()

    def flush(self) -> None:
        """Start to save the last evaluated state, if it is not saved yet."""
        snapshot, self._unsaved = self._unsaved, None
        if snapshot is None:
            return
        self._wait()
        self._saved_s = time.monotonic()
        # Processes wait for each other while they save, so all save between the same two steps.
        if jax.process_count() > 1:
            self._write(snapshot)
        else:
            self._under_way = self._thread.submit(self._write, snapshot)

    def _write(self, snapshot: Snapshot) -> None:
        latest, best = snapshot.latest, snapshot.best
        uars = snapshot.devel_uars
        states = {"latest": latest} | ({"best": best} if best else {})
        trees = {kind: {"shared": state.shared, **state.corpora} for kind, state in states.items()}
        notes = {
            "schedules": {name: dataclasses.asdict(own) for name, own in snapshot.progress.items()},
            "best_step": best.step if best else None,
            "devel_uar": {**uars, "mean": float(np.mean([*uars.values()]))} if uars else {},
        }
        self._checkpoints.save(latest.step, trees, {**self._manifest, **notes})

    def last_saved(self) -> Path | None:
        """Return the folder of the newest checkpoint on disk, named after its step."""
        self._wait()
        return self._checkpoints.newest()

    def close(self) -> None:
        """Finish saving and release the folder."""
        try:
            self._wait()
        finally:
            self._thread.shutdown()
            self._checkpoints.close()

    def check(self) -> None:
        """Raise the error of a failed save."""
        if self._under_way and self._under_way.done():
            self._under_way.result()

    def _wait(self) -> None:
        """Wait until the save in progress is on disk; raise its error if it failed."""
        if self._under_way:
            self._under_way.result()


def _restore(checkpoint: Checkpoint, like: EmoState) -> Snapshot:
    """Read a checkpoint into arrays with the shapes of ``like``."""
    manifest = checkpoint.manifest

    def state(kind: str, step: int) -> EmoState:
        trees = checkpoint.restore(kind, {"shared": like.shared, **like.corpora})
        return EmoState(trees.pop("shared"), trees, step)

    progress = {name: Schedule(**fields) for name, fields in manifest["schedules"].items()}
    uars = {name: uar for name, uar in manifest["devel_uar"].items() if name in like.corpora}
    best = None if manifest["best_step"] is None else state("best", manifest["best_step"])
    return Snapshot(state("latest", manifest["step"]), progress, best, uars)


def _identity(manifest: Mapping) -> dict:
    """Remove the base's path, since a base may move; add the settings of newer versions."""
    config = {name: value for name, value in manifest["config"].items() if name != "base"}
    return completed({**manifest, "config": config})


def _copied(state: EmoState) -> EmoState:
    """Copy a state, because a training step donates its input arrays."""
    return EmoState(
        _copy(state.shared), {name: _copy(own) for name, own in state.corpora.items()}, state.step
    )


@jax.jit
def _copy(tree: Part) -> Part:
    return jax.tree.map(jnp.copy, tree)
