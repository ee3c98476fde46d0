"""Step time, throughput, compile time, waiting for data and memory, beside a PyTorch twin, as JSON.

    python benchmarks/step_time.py > step_time.json

Every row is a process of its own that is told one step at a time, so that whatever else the machine does
falls on all of them alike. See ``benchmarks/README.md``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from absl import app, flags
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
# Threads of one process spin for a while after its step; the next one should have the cores for itself.
PAUSE_S = 0.3

flags.DEFINE_integer("batch_size", 64, "Clips in a step.", lower_bound=1)
flags.DEFINE_float("window_s", 2.5, "Length of a clip.", lower_bound=0.1)
flags.DEFINE_integer("rounds", 15, "Timed steps of every row.", lower_bound=1)
flags.DEFINE_string("torch_python", sys.executable, "Python that has torch and numpy, for the twin.")
FLAGS = flags.FLAGS


class Worker:
    """A process that takes one step whenever it is told to."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, env=environment()
        )
        self._answer()
        self.times_s: list[float] = []

    def step(self) -> None:
        """Have one step taken and timed."""
        print("step", file=self._process.stdin)
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
            raise SystemExit(f"step_time.py: this worker failed: {self._command}")
        return json.loads(line)


def environment() -> dict[str, str]:
    """Lets the workers import the project, whatever the folder they are started from."""
    return {**os.environ, "PYTHONPATH": str(HERE.parent)}


def command(python: str, script: str, exported: str, job: str, tuned: bool) -> list[str]:
    """The command of a worker."""
    settings = {"job": job, "tuned": tuned, "exported": exported, **sizes()}
    return [python, str(HERE / script), json.dumps(settings)]


def sizes() -> dict:
    """What is measured, as the flags say."""
    return {name: FLAGS[name].value for name in ("batch_size", "window_s", "rounds")}


def has_torch() -> bool:
    """Whether there can be a twin."""
    test = [FLAGS.torch_python, "-c", "import numpy, torch"]
    return subprocess.run(test, stderr=subprocess.DEVNULL).returncode == 0


def measure(commands: Mapping[str, list[str]]) -> dict:
    """Step all workers in turn; gives a row for each, and its speed over PyTorch as installed."""
    workers = {row: Worker(command) for row, command in commands.items()}
    for _ in tqdm(range(FLAGS.rounds), unit="round"):
        for worker in workers.values():
            time.sleep(PAUSE_S)
            worker.step()
    table = {}
    for row, worker in workers.items():
        step_s = median(worker.times_s)
        table[row] = {"step_s": step_s, "clips_per_s": FLAGS.batch_size / step_s} | worker.end()
        if "torch" in workers:
            # Round by round: whatever slowed one of the two down slowed down the other.
            rounds = zip(workers["torch"].times_s, worker.times_s, strict=True)
            table[row]["speed_over_torch"] = median(theirs / ours for theirs, ours in rounds)
    return table


def main(argv: list[str]) -> None:
    """Measure training, then inference."""
    if len(argv) > 1:
        raise app.UsageError(f"unknown arguments {argv[1:]}")
    report = {**sizes(), "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        exported = f"{folder}/exported.npz"
        ours = (sys.executable, "emojax_worker.py", exported)
        rows = {"emojax": (ours, True), "emojax_untuned": (ours, False)}
        if has_torch():
            subprocess.run(command(*ours, "export", True), check=True, env=environment())
            twin = (FLAGS.torch_python, "torch_twin.py", exported)
            rows |= {"torch": (twin, False), "torch_tuned": (twin, True)}
        else:
            print(f"no twin: {FLAGS.torch_python} has no torch (see --torch_python)", file=sys.stderr)
        for job in ("training", "inference"):
            report[job] = measure(
                {row: command(*worker, job, tuned) for row, (worker, tuned) in rows.items()}
            )
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    app.run(main)
