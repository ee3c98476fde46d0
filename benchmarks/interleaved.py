"""Benchmark processes that take turns, so that other load on the machine affects all equally."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import median, quantiles

from tqdm import tqdm

HERE = Path(__file__).resolve().parent
# The threads of a process spin for a while after its step; the next process should not share cores.
PAUSE_S = 0.3
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join(
        [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    ),
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # the workers share an accelerator's memory
    "JAX_ENABLE_COMPILATION_CACHE": "false",  # compiling is measured
}
if "JAX_PLATFORMS" in os.environ:  # the CPU counts operations
    ENVIRONMENT["JAX_PLATFORMS"] = f"{os.environ['JAX_PLATFORMS']},cpu"


class WorkerError(SystemExit):
    """Error for a worker that ended too early."""


class Worker:
    """Process that takes a turn on request; a context manager.

    Args:
      script: name of a script in this folder.
      settings: settings of the worker.
      environment: variables to add to this process's environment.
      python: Python interpreter.

    Attributes:
      ready_s: seconds from the start of the process to the end of its first turn.
      times_s: seconds per step of each later turn.
    """

    def __init__(
        self,
        script: str,
        settings: Mapping,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> None:
        begin_s = time.perf_counter()
        self._command = [python, str(HERE / script), json.dumps(settings)]
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, **ENVIRONMENT, **(environment or {})},
        )
        self._answer()
        self.ready_s = time.perf_counter() - begin_s
        self.times_s: list[float] = []

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_) -> None:
        self._process.kill()
        self._process.wait()

    def turn(self) -> None:
        """Request a turn and record its time."""
        print("turn", file=self._process.stdin)
        self.times_s.append(self._answer())

    def end(self) -> dict:
        """End the worker, and return the facts about its run."""
        self._process.stdin.close()  # type: ignore[union-attr]
        facts = self._answer()
        self._process.wait()
        return facts

    def _answer(self):
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise WorkerError(f"this worker failed; what it said is above: {self._command}")
        return json.loads(line)


def measure(makers: Mapping, rounds: int, optional: Collection[str] = ()) -> dict:
    """Measure workers that take turns; each is a row of the result.

    Args:
      makers: row → function without arguments that makes its :class:`Worker`.
      rounds: turns of each worker.
      optional: rows to leave out if their worker fails.

    Returns:
      row → seconds per step (median), speed relative to each other row (median and quartiles over
      the rounds, in which both had the same load), and the worker's facts.
    """
    with contextlib.ExitStack() as stack:
        workers = {}
        for row, make in tqdm(makers.items(), "start", leave=False):
            try:
                workers[row] = stack.enter_context(make())
            except WorkerError as error:
                if row not in optional:
                    raise
                print(f"no {row}: {error}", file=sys.stderr)
        for number in tqdm(range(rounds), unit="round", leave=False):
            # Shuffle, since the process before leaves its caches and memory behind.
            for worker in random.Random(number).sample(list(workers.values()), len(workers)):
                time.sleep(PAUSE_S)
                worker.turn()
        table = {}
        for row, worker in workers.items():
            ratios = {
                name: _speed_over(other, worker) for name, other in workers.items() if name != row
            }
            table[row] = {
                "step_s": median(worker.times_s),
                "speed_over": {name: median(own) for name, own in ratios.items()},
                "speed_over_quartiles": {name: _quartiles(own) for name, own in ratios.items()},
                **worker.end(),
            }
        return table


def _speed_over(other: Worker, worker: Worker) -> list[float]:
    return [theirs / own for theirs, own in zip(other.times_s, worker.times_s, strict=True)]


def _quartiles(ratios: list[float]) -> list[float]:
    """Return the first and third quartile."""
    return quantiles(ratios, n=4, method="inclusive")[::2] if len(ratios) > 1 else 2 * ratios
