"""What a run keeps on disk: the state to go on from, and the state to use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from emojax.checkpoints import Checkpoints, check_same, read_manifest, restore
from emojax.training.state import EmoState


class Keeper:
    """The run's two checkpoints: the latest state, and the best one by mean devel UAR.

    Args:
      workdir: of the run.
      manifest: what the network is; a folder that holds another one is refused with a ValueError.
    """

    def __init__(self, workdir: Path, manifest: dict) -> None:
        self._workdir, self._manifest = workdir, manifest
        self._latest, self._best = Checkpoints(workdir, "latest"), Checkpoints(workdir, "best")
        if self._latest.step() is not None:
            check_same(read_manifest(workdir, "latest"), manifest, workdir)
        self.best_uar = -1.0
        if self._best.step() is not None:
            self.best_uar = read_manifest(workdir, "best")["devel_uar"]["mean"]
        self._check_pair()

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

    def resume(self, state: EmoState) -> EmoState:
        """The latest state that was saved, or the given one."""
        step = self._latest.step()
        return state if step is None else self._restore("latest", state, step)

    def keep(self, state: EmoState, uars: Mapping[str, float], begins_phase: bool) -> EmoState:
        """Save; gives the state to go on with, which is the best one where a phase begins."""
        if uars["mean"] > self.best_uar:
            # Otherwise the best could be two evaluations ahead of what a killed run goes on from.
            self._latest.wait()
            self.best_uar = uars["mean"]
            self._save(self._best, state, beside=self._latest.step(), devel_uar=dict(uars))
            # The latest state must never be on disk before the best one that it counts on.
            self._best.wait()
        if begins_phase:
            state = self._restore("best", state, state.step)
        self.save_latest(state)
        return state

    def save_latest(self, state: EmoState) -> None:
        """Begin to save the state to go on from."""
        self._save(self._latest, state, beside=self._best.step())

    def close(self) -> None:
        """Finish what was begun."""
        self._latest.close()
        self._best.close()

    def _save(self, checkpoints: Checkpoints, state: EmoState, **extra) -> None:
        checkpoints.save(state.step, state.shared, state.corpora, {**self._manifest, **extra})

    def _restore(self, kind: str, like: EmoState, step: int) -> EmoState:
        trees = restore(self._workdir, kind, {"shared": like.shared, **like.corpora})
        return EmoState(trees.pop("shared"), trees, step)
