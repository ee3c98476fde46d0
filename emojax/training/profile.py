"""A trace of a few steps, to see where the time goes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax
import tqdm

# The first round compiles, and the second one may still wait for data.
WARM_UP_ROUNDS = 2
TRACED_STEPS = 10


class Profile:
    """Traces a few steps of a run, a round at least, after its first two rounds; use it as a context.

    Args:
      folder: gets the trace; None for no trace.
      first_step: where the run begins, or goes on.
      steps_per_round: of the run.
      settle: waits until the device has nothing to do.
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
        """Begin or end the trace, if it is time."""
        if self._folder and step >= (self._end if self._tracing else self._begin):
            self._settle()
            if self._tracing:
                self._stop()
            else:
                options = jax.profiler.ProfileOptions()
                options.python_tracer_level = (
                    0  # an evaluation that compiles would be 100 MB of Python calls
                )
                jax.profiler.start_trace(self._folder, profiler_options=options)
                self._tracing = True

    def _stop(self) -> None:
        jax.profiler.stop_trace()
        tqdm.tqdm.write(
            f"a trace is in {self._folder}: open the .trace.json.gz in it at https://ui.perfetto.dev, or, "
            f"with `pip install xprof`, `tensorboard --logdir {self._folder}`"
        )
        self._tracing, self._folder = False, None
