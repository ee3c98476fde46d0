"""Measurements between two evaluations: losses, speed, and the time spent waiting for data."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import jax
import numpy as np

Item = TypeVar("Item")

# JAX records this event also when a program comes from the compilation cache.
_COMPILED = "/jax/core/compile/backend_compile_duration"
# Calls queued ahead of the device: enough that it never waits for Python.
UNDER_WAY = 2


class NotFiniteLossError(FloatingPointError):
    """Error for the first loss of a run that is not finite.

    Attributes:
      step: number of the step, from 0.
      corpus: the corpus of the step.
    """

    def __init__(self, step: int, corpus: str) -> None:
        super().__init__(f"the loss of {corpus} is not finite in step {step + 1}")
        self.step, self.corpus = step, corpus


class Meter:
    """Meter of each corpus's losses, clips per second and the share of time waiting for data.

    Args:
      batch_size: clips in a step of a corpus.
      floors_s: corpus → seconds of its step at the machine's peak; may be empty.
    """

    def __init__(self, batch_size: int, floors_s: Mapping[str, float]) -> None:
        self._batch_size, self._floors_s = batch_size, floors_s
        self._under_way: deque[tuple[Sequence[int], Sequence[str], jax.Array]] = deque()
        self.start()

    def start(self) -> None:
        """Reset all measurements."""
        self._losses: dict[str, list[float]] = defaultdict(list)
        self._waited_s = 0.0
        self._since_s = time.perf_counter()

    def waiting_for(self, batches: Iterator[Item]) -> Item:
        """Return the next batch, and count the time until it arrives as waiting."""
        begin_s = time.perf_counter()
        item = next(batches)
        self._waited_s += time.perf_counter() - begin_s
        return item

    def add(self, steps: Sequence[int], names: Sequence[str], losses: jax.Array) -> None:
        """Add the losses of a call, and wait for those of an earlier call.

        Without a limit JAX would queue all calls, and the progress bar would run ahead of the
        device.

        Args:
          steps: step number of each loss.
          names: corpus of each loss.
          losses: f32 ``[len(steps)]``; the device may still be computing them.

        Raises:
          NotFiniteLossError: a loss of that earlier call is not finite.
        """
        self._under_way.append((steps, names, losses))
        if len(self._under_way) > UNDER_WAY:
            self._wait()

    def settle(self) -> None:
        """Wait for all losses.

        Raises:
          NotFiniteLossError: a loss is not finite.
        """
        while self._under_way:
            self._wait()

    def _wait(self) -> None:
        """Wait for the oldest pending call."""
        steps, names, losses = self._under_way.popleft()
        for step, name, loss in zip(steps, names, jax.device_get(losses), strict=True):
            if not np.isfinite(loss):
                raise NotFiniteLossError(step, name)
            self._losses[name].append(float(loss))

    def speed(self) -> dict[str, float]:
        """Return clips per second and the share of peak FLOP/s, named as in ``metrics.jsonl``.

        The result is empty until the first loss arrives.
        """
        elapsed_s = time.perf_counter() - self._since_s
        steps = {name: len(values) for name, values in self._losses.items()}
        if not steps:
            return {}
        speed = {"time/clips_per_s": self._batch_size * sum(steps.values()) / elapsed_s}
        floor_s = sum(self._floors_s.get(name, 0.0) * count for name, count in steps.items())
        if 0 < floor_s <= elapsed_s:  # above 1, the peak was measured on a busy machine
            speed["time/peak_share"] = floor_s / elapsed_s
        return speed

    def flush(self) -> dict[str, float]:
        """Return all measurements since the start, named as in ``metrics.jsonl``.

        Raises:
          NotFiniteLossError: a loss is not finite.
        """
        self.settle()
        elapsed_s = time.perf_counter() - self._since_s
        losses = {name: float(np.mean(values)) for name, values in self._losses.items()}
        return {
            **{f"loss/{name}": loss for name, loss in losses.items()},
            "loss/mean": float(np.mean(list(losses.values()))),
            "time/step_s": elapsed_s / sum(map(len, self._losses.values())),
            "time/data_wait_share": self._waited_s / elapsed_s,
            **self.speed(),
        }


@contextlib.contextmanager
def counting_compile_s() -> Iterator[list[float]]:
    """Collect the seconds that each program takes to compile while the context is open.

    >>> with counting_compile_s() as compile_s:
    ...     _ = jax.jit(lambda x: x + 41)(1)
    >>> len(compile_s) > 0
    True
    """
    seconds: list[float] = []

    def listen(event: str, duration_secs: float, **_) -> None:
        if event == _COMPILED:
            seconds.append(duration_secs)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield seconds
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
