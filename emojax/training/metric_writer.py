"""Writer of a run's metrics: a progress bar, JSON lines and TensorBoard events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import tensorboardX
import tqdm

from emojax.files import replacing
from emojax.multihost import is_first


class MetricWriter:
    """Writer of a run's metrics to screen and disk; a context manager.

    Args:
      workdir: folder for ``metrics.jsonl`` and TensorBoard's event files.
      first_step: the step to resume from; metrics of later steps are dropped.
      last_step: the step at which the run ends.
      steps_per_round: steps in a round.
    """

    def __init__(
        self, workdir: Path, first_step: int, last_step: int, steps_per_round: int
    ) -> None:
        self._path = workdir / "metrics.jsonl"
        self._writes = is_first()
        if self._writes:
            _drop_after(self._path, first_step)
        self._events = tensorboardX.SummaryWriter(
            str(workdir / "tensorboard"), purge_step=first_step + 1, write_to_disk=self._writes
        )
        self._bar = tqdm.tqdm(
            total=last_step,
            initial=first_step,
            unit="step",
            smoothing=0.05,
            dynamic_ncols=True,
            disable=not self._writes,
        )
        self._shown = {"round": f"{first_step // steps_per_round}/{last_step // steps_per_round}"}
        self._rounds = last_step // steps_per_round
        self._steps_per_round = steps_per_round

    def __enter__(self) -> MetricWriter:
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()
        self._events.close()

    def advance(self, step: int, speed: Mapping[str, float]) -> None:
        """Move the bar to a step; show the speed from :meth:`Meter.speed` once a round."""
        if step % self._steps_per_round == 0:
            self._shown["round"] = f"{step // self._steps_per_round}/{self._rounds}"
            if "time/clips_per_s" in speed:
                self._shown["clips/s"] = f"{speed['time/clips_per_s']:.0f}"
            if "time/peak_share" in speed:
                self._shown["clips/s"] += f", {100 * speed['time/peak_share']:.0f} % of peak"
            self._bar.set_postfix(self._shown, refresh=False)
        self._bar.update(step - self._bar.n)

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write the metrics of a step; show ``loss/mean`` and the devel scores after the bar."""
        if self._writes:
            with open(self._path, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **metrics}) + "\n")
        for name, value in metrics.items():
            self._events.add_scalar(name, value, step)
        self._events.flush()
        if "loss/mean" in metrics:  # missing before the first step
            self._shown["loss"] = f"{metrics['loss/mean']:.3f}"
        if "time/compile_s" in metrics:
            self._shown["compiled in"] = f"{metrics['time/compile_s']:.0f} s"
        if "devel_uar/mean" in metrics:  # missing when only some corpora were evaluated
            self._shown[_measures(metrics)] = f"{100 * metrics['devel_uar/mean']:.1f} %"
        if "devel_uar/best" in metrics:  # missing without a devel part
            self._shown["best"] = f"{100 * metrics['devel_uar/best']:.1f} %"
        self._bar.set_postfix(self._shown)


def _measures(metrics: Mapping[str, float]) -> str:
    """Name the scores in the mean devel score: UAR, CCC of numbers, or both."""
    own = metrics.keys() - {"devel_uar/mean", "devel_uar/best"}
    names = [
        measure.upper()
        for measure in ("uar", "ccc")
        if any(name.startswith(f"devel_{measure}/") for name in own)
    ]
    return f"devel {' and '.join(names)}"


def _drop_after(path: Path, step: int) -> None:
    """Drop the incomplete lines of a killed run, and all lines after ``step``."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError):
            continue
    with replacing(path) as draft:
        draft.write_text("".join(kept), encoding="utf-8")
