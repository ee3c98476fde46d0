"""What a run keeps on disk: the state to go on from, and the state to use."""

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

from emojax.checkpoints import Checkpoints, check_same, read_manifest, restore
from emojax.training.processes import of_any_process
from emojax.training.rounds import Verdict
from emojax.training.schedule import Schedule
from emojax.training.state import Corpus, EmoState, Shared

Part = TypeVar("Part", Shared, Corpus)

# A kill costs so much, what lies between two looks at devel, and the writing.  Where a round takes
# milliseconds, saving at each look would take longer than training.
SAVE_EVERY_S = 60.0


class Keeper:
    """The run's two checkpoints: the latest state, and the best one by devel UAR, which is in memory, too.

    Args:
      workdir: of the run.
      manifest: what the network is; a folder that holds another one is refused with a ValueError.
    """

    def __init__(self, workdir: Path, manifest: dict) -> None:
        self._workdir, self._manifest = workdir, manifest
        # Of two best states, one is not of after the latest state, whenever a run is killed.
        self._latest, self._best = Checkpoints(workdir, "latest"), Checkpoints(workdir, "best", kept=2)
        for kind, checkpoints in (("latest", self._latest), ("best", self._best)):
            if checkpoints.step() is not None:
                saved = read_manifest(workdir, kind)
                check_same(_without_place_of_base(saved), _without_place_of_base(manifest), workdir)
        self._check_pair()
        self._best_state: EmoState | None = None
        self._best_uars: dict[str, float] = {}
        self._saved_s = -math.inf
        self._thread = ThreadPoolExecutor(1, "checkpoints")
        self._under_way: Future | None = None

    def _check_pair(self) -> None:
        """Refuse a folder of which a person removed or exchanged one of the two."""
        steps = {"latest": self._latest.step(), "best": self._best.step()}
        for kind, other in (("latest", "best"), ("best", "latest")):
            # Each knows which step of the other was on disk before it; a kill can only leave a later one.
            known = None if steps[kind] is None else read_manifest(self._workdir, kind)["beside"]
            if known is not None and (steps[other] is None or steps[other] < known):
                raise ValueError(
                    f"{self._workdir}/checkpoints: latest (step {steps['latest']}) and best (step "
                    f"{steps['best']}) are not of one run; put back what was removed, or use another "
                    "--workdir"
                )

    @property
    def begun(self) -> bool:
        """Whether there is a state to go on from."""
        return self._latest.step() is not None

    def resume(self, state: EmoState) -> tuple[EmoState, dict[str, Schedule]]:
        """The latest state that was saved and its schedules; or the given one, and none."""
        step = self._latest.step()
        if step is None:
            self._best.clear()  # of a run that was killed before it could be gone on with
            return state, {}
        saved = read_manifest(self._workdir, "latest")["schedules"]
        schedules = {name: Schedule(**fields) for name, fields in saved.items()}
        # A run that was killed between the two saved a best state that this one may never come to.
        self._best.drop_after(step)
        if (best_step := self._best.step()) is not None:
            self._best_state = self._restore("best", state, best_step)
            self._best_uars = read_manifest(self._workdir, "best")["devel_uar"]
        return self._restore("latest", state, step), schedules

    def keep(self, state: EmoState, schedules: Mapping[str, Schedule], verdict: Verdict) -> EmoState:
        """Note what is best; gives the state to go on with: the best one of each corpus that begins a phase.

        Whatever begins a phase is saved, everything else once in ``SAVE_EVERY_S``.
        """
        if verdict.improved:
            self._note_best(state, verdict)
        state = self._with_best(state, verdict.restarted)
        if verdict.restarted or of_any_process(time.monotonic() - self._saved_s > SAVE_EVERY_S):
            self.save(state, schedules)
        return state

    def _note_best(self, state: EmoState, verdict: Verdict) -> None:
        improved = _copied(state, verdict.improved)
        before = self._best_state or state
        self._best_state = dataclasses.replace(improved, corpora={**before.corpora, **improved.corpora})
        self._best_uars = dict(verdict.best_uars)

    def _with_best(self, state: EmoState, names: Collection[str]) -> EmoState:
        """The state, with the best of some corpora, and the trunk that belongs to it."""
        if not names or self._best_state is None:
            return state
        best = _copied(self._best_state, names)
        return EmoState(best.shared, {**state.corpora, **best.corpora}, state.step)

    def save(self, state: EmoState, schedules: Mapping[str, Schedule]) -> None:
        """Begin to save the best state, if it is a new one, and after it the state to go on from."""
        self._wait()
        fields = {name: dataclasses.asdict(schedule) for name, schedule in schedules.items()}
        self._saved_s = time.monotonic()
        best = self._best_state, self._best_uars  # a look may replace them meanwhile
        if jax.process_count() > 1:  # they meet while they save, so all do it between the same two steps
            self._save_both(*best, state, fields)
        else:
            self._under_way = self._thread.submit(
                self._save_both, *best, _copied(state, state.corpora), fields
            )

    def _save_both(
        self, best: EmoState | None, uars: Mapping[str, float], state: EmoState, schedules: Mapping[str, dict]
    ) -> None:
        # A killed run goes on from the latest state on disk, and needs a best one that is not of after it.
        self._save_best(best, uars)
        self._save(self._latest, state, beside=self._best.step(), schedules=schedules)

    def save_best(self) -> None:
        """Save the best state, if it is a new one; returns when it is on disk."""
        self._wait()
        self._save_best(self._best_state, self._best_uars)

    def _save_best(self, state: EmoState | None, uars: Mapping[str, float]) -> None:
        if state is not None:
            self._save(self._best, state, beside=self._latest.step(), devel_uar=uars)
            self._best.wait()

    def last_saved(self) -> Path | None:
        """Folder of the latest state on disk, named after its step."""
        self._wait()
        return self._latest.folder()

    def close(self) -> None:
        """Finish what was begun."""
        try:
            self._wait()
        finally:
            self._thread.shutdown()
            self._latest.close()
            self._best.close()

    def check(self) -> None:
        """Raise what went wrong with what was begun, if that is known by now."""
        if self._under_way and self._under_way.done():
            self._under_way.result()

    def _wait(self) -> None:
        """Return when everything begun is on disk; raises what went wrong with it."""
        if self._under_way:
            self._under_way.result()
        self._latest.wait()

    def _save(self, checkpoints: Checkpoints, state: EmoState, **extra) -> None:
        checkpoints.save(state.step, state.shared, state.corpora, {**self._manifest, **extra})

    def _restore(self, kind: str, like: EmoState, step: int) -> EmoState:
        trees = restore(self._workdir, kind, {"shared": like.shared, **like.corpora})
        return EmoState(trees.pop("shared"), trees, step)


def _without_place_of_base(manifest: Mapping) -> dict:
    """A run is the same run wherever its base lies."""
    config = {name: value for name, value in manifest["config"].items() if name != "base"}
    return {**manifest, "config": config}


def _copied(state: EmoState, names: Collection[str]) -> EmoState:
    """A copy of the trunk and of some corpora, and of no others."""
    return EmoState(_copy(state.shared), {name: _copy(state.corpora[name]) for name in names}, state.step)


@jax.jit
def _copy(tree: Part) -> Part:
    """Training takes the arrays that it is given."""
    return jax.tree.map(jnp.copy, tree)
