"""Run a plan's cells in processes of their own: one or several at a time here, or on a cluster."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import tqdm

from emojax.experiments.launch import runner
from emojax.experiments.launch.job import Cell

_POLL_S = 0.2
ENGINES = "here, local:2 (so many at a time) or slurm:timeout_min=600,gpus_per_node=1,slurm_partition=NAME"


class Job(Protocol):
    """What submitit calls a job, as far as it is needed here."""

    def done(self) -> bool:
        """Whether it has ended."""

    def exception(self) -> BaseException | None:
        """Why it failed, if it did."""

    def cancel(self) -> None:
        """Stop it."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """Where cells are run.

    Attributes:
      submit: begins a command.
      limit: how many may run at once.
    """

    submit: Callable[[list[str]], Job]
    limit: int


def make_engine(text: str, folder: Path) -> Engine:
    """An engine as a person types it.

    Args:
      text: ``here``; ``local:N``; ``slurm`` with submitit's parameters behind it, ``slurm:NAME=VALUE,...``.
      folder: where submitit keeps its own files.

    Raises:
      ValueError: another text, no submitit, no SLURM, or parameters that submitit does not know.
    """
    kind, _, options = text.partition(":")
    if text == "here":
        return Engine(_Process, 1)
    if kind == "local" and options.isdecimal() and int(options) > 0:
        return Engine(_Process, int(options))
    if kind == "slurm":
        pairs = [item.partition("=")[::2] for item in filter(None, options.split(","))]
        parameters = {name: int(value) if value.isdecimal() else value for name, value in pairs}
        executor = _executor(folder, kind, parameters)
        return Engine(lambda command: _submit(executor, command), sys.maxsize)
    raise ValueError(f"--engine={text!r}; choose of {ENGINES}")


def _executor(folder: Path, cluster: str, parameters: dict[str, Any]) -> Any:
    try:
        import submitit

        executor = submitit.AutoExecutor(folder, cluster=cluster)
        executor.update_parameters(name="emojax", **parameters)
    except ImportError as error:
        raise ValueError(f'--engine={cluster}: {error}; pip install "emojax[cluster]"') from error
    except (AssertionError, NameError, RuntimeError, TypeError) as error:
        raise ValueError(f"--engine={cluster}: {error}") from error
    return executor


def _submit(executor: Any, command: list[str]) -> Job:
    from submitit.helpers import CommandFunction

    return executor.submit(CommandFunction(command, verbose=False))


class _Process:
    """A job on this machine."""

    def __init__(self, command: list[str]) -> None:
        # In a session of its own, so that Ctrl-C reaches it once: when it is cancelled.
        self._process = subprocess.Popen(command, start_new_session=True)

    def done(self) -> bool:
        return self._process.poll() is not None

    def exception(self) -> BaseException | None:
        code = self._process.returncode
        return OSError(f"exit status {code}") if code else None

    def cancel(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.killpg(self._process.pid, signal.SIGINT)


def execute(cells: Iterable[Cell], engine: Engine) -> dict[str, str]:
    """Run cells, each as soon as those that it begins at are finished, and show a progress bar.

    A cell that fails is named, and loses only those that build on it. Ctrl-C stops those that run; run again,
    they go on from their last checkpoint.

    Args:
      cells: to be run; what they begin at is among them, or finished.
      engine: where.

    Returns:
      name of each cell that failed → why, in one line.
    """
    waiting = {cell.name: cell for cell in cells}
    running: dict[str, tuple[Cell, Job]] = {}
    failed: dict[str, str] = {}
    with tqdm.tqdm(total=len(waiting), unit="run", dynamic_ncols=True, mininterval=10) as bar:

        def note(new: Mapping[str, str]) -> None:
            failed.update(new)
            for name, why in new.items():
                bar.write(f"{name}: {why}", file=sys.stderr)

        try:
            while waiting or running:
                while lost := _lost(waiting, failed):
                    note(lost)
                    bar.update(len(lost))
                for name in _ready(waiting, running)[: engine.limit - len(running)]:
                    cell = waiting.pop(name)
                    try:
                        running[name] = cell, _begin(cell, engine)
                    except RuntimeError as error:  # of submitit, where SLURM takes no more
                        note({name: f"could not be begun: {error}"})
                        bar.update()
                for name in [name for name, (_, job) in running.items() if job.done()]:
                    note(_failure(*running.pop(name)))
                    bar.update()
                if bar.postfix != (shown := ", ".join(running)):
                    bar.set_postfix_str(shown)
                time.sleep(_POLL_S)
        except KeyboardInterrupt:
            for _, job in running.values():
                job.cancel()
            while not all(job.done() for _, job in running.values()):
                time.sleep(_POLL_S)
            raise
    return failed


def _lost(waiting: dict[str, Cell], failed: Collection[str]) -> dict[str, str]:
    """Take out those that build on a failed one."""
    lost = {
        name: f"needs {', '.join(set(cell.after) & set(failed))}, which failed"
        for name, cell in waiting.items()
        if set(cell.after) & set(failed)
    }
    for name in lost:
        del waiting[name]
    return lost


def _ready(waiting: Mapping[str, Cell], running: Collection[str]) -> list[str]:
    return [name for name, cell in waiting.items() if not {*waiting, *running} & set(cell.after)]


def _begin(cell: Cell, engine: Engine) -> Job:
    cell.begin()
    return engine.submit(command_of(cell))


def command_of(cell: Cell) -> list[str]:
    """What runs a cell in a process of its own."""
    return [sys.executable, "-m", runner.__name__, str(cell.folder), json.dumps(cell.commands)]


def _failure(cell: Cell, job: Job) -> dict[str, str]:
    """Why a cell failed, by name, if it did: the last that it said, and what its engine says."""
    error = job.exception()
    if error is None and cell.is_finished():
        return {}
    log = cell.folder / runner.LOG
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    said = next(filter(None, map(str.strip, reversed(lines))), "it said nothing")
    ended = str(error).splitlines()[0] if error else "it left no results"
    return {cell.name: f"{said}; {ended} (all of it: {log})"}
