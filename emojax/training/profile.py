"""Profiler trace of a few training steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax
import tqdm

# The first round compiles, and the second may still wait for data.
WARM_UP_ROUNDS = 2
TRACED_STEPS = 10


class Profile:
    """Trace of at least one round, after the first two rounds of a run; a context manager.

    Args:
      folder: folder for the trace; None for no trace.
      first_step: the step at which the run starts or resumes.
      steps_per_round: steps in a round.
      settle: function that waits until the device is idle.
    """

    def __init__(
        self, folder: Path | None, first_step: int, steps_per_round: int, settle: Callable[[], None]
    ) -> None:
        self._folder, self._settle = folder, settle
        self._begin = first_step + WARM_UP_ROUNDS * steps_per_round
        self._end = self._begin + max(TRACED_STEPS, steps_per_round)
        self._tracing = False

    def __enter__(self) -> Profile:
        return self

    def __exit__(self, *_) -> None:
        if self._tracing:
            self._stop()
        elif self._folder:
            print(f"no trace: the run ended before step {self._begin}, where it would begin")

    def advance(self, step: int) -> None:
        """Start or stop the trace when its first or last step is reached."""
        if self._folder and step >= (self._end if self._tracing else self._begin):
            self._settle()
            if self._tracing:
                self._stop()
            else:
                options = jax.profiler.ProfileOptions()
                # A trace of Python would have 100 MB for an evaluation that compiles.
                options.python_tracer_level = 0
                jax.profiler.start_trace(self._folder, profiler_options=options)
                self._tracing = True

    def _stop(self) -> None:
        jax.profiler.stop_trace()
        tqdm.tqdm.write(
            f"a trace is in {self._folder}: open the .trace.json.gz in it at "
            "https://ui.perfetto.dev, or, with `pip install xprof`, "
            f"`tensorboard --logdir {self._folder}`"
        )
        self._tracing, self._folder = False, None
