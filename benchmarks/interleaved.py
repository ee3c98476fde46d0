"""Processes that take turns, so that whatever else the machine does falls on all of them alike."""

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
# Threads of one process spin for a while after its step; the next one should have the cores for
# itself.
PAUSE_S = 0.3
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join(
        [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    ),
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # all workers share an accelerator's memory
    "JAX_ENABLE_COMPILATION_CACHE": "false",  # compiling is measured
}
if "JAX_PLATFORMS" in os.environ:  # operations are counted on the CPU, beside whatever is measured
    ENVIRONMENT["JAX_PLATFORMS"] = f"{os.environ['JAX_PLATFORMS']},cpu"


class WorkerError(SystemExit):
    """A worker ended before it was told to."""


class Worker:
    """A process that takes a turn whenever it is told to; use it as a context.

    Args:
      script: beside this file.
      settings: of the worker.
      environment: of the process, beside this one's.
      python: its interpreter.

    Attributes:
      ready_s: from the start of the process to the end of its first turn.
      times_s: seconds a step of each turn after that.
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
        """Have a turn taken and timed."""
        print("turn", file=self._process.stdin)
        self.times_s.append(self._answer())

    def end(self) -> dict:
        """End the worker; gives what it knows of its run."""
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
    """Rows of workers that took turns.

    Args:
      makers: row → a function without arguments that makes its :class:`Worker`.
      rounds: turns of each.
      optional: rows that are left out where their worker fails.

    Returns:
      row → seconds a step (median), how many times as fast as each other row it is (median and
      quartiles over the rounds: whatever slowed one of the two down slowed down the other), and
      what the worker knows.
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
            # Whose turn it was before must not be the same in each round: it leaves caches and
            # memory behind.
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
    """The first and the third."""
    return quantiles(ratios, n=4, method="inclusive")[::2] if len(ratios) > 1 else 2 * ratios
