"""Run a plan's jobs in processes of their own: one or several at a time here, or on a cluster."""

from __future__ import annotations

import contextlib
import dataclasses
import graphlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import tqdm

from emojax.experiments.launch import runner
from emojax.experiments.launch.job import Job

_POLL_S = 0.2
ENGINES = "here, local:2 (so many at a time) or slurm:timeout_min=600,gpus_per_node=1,slurm_partition=NAME"


class Handle(Protocol):
    """A process that was begun; submitit's jobs are such handles."""

    def done(self) -> bool:
        """Say whether it has ended."""

    def exception(self) -> BaseException | None:
        """The reason why it failed, if it did."""

    def cancel(self) -> None:
        """Stop it."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """A place where jobs are run.

    Attributes:
      submit: begins a command.
      limit: how many may run at once.
    """

    submit: Callable[[list[str]], Handle]
    limit: int


def make_engine(text: str, folder: Path) -> Engine:
    """Make an engine as a person types it.

    Args:
      text: ``here``; ``local:N``; ``slurm`` with submitit's parameters behind it,
        ``slurm:NAME=VALUE,...``.
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
        from submitit.helpers import CommandFunction

        return Engine(
            lambda command: executor.submit(CommandFunction(command, verbose=False)), sys.maxsize
        )
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


class _Process:
    """A process on this machine."""

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


def execute(jobs: Iterable[Job], engine: Engine) -> dict[str, str]:
    """Run jobs, each as soon as those that it comes after are finished, and show a progress bar.

    A job that fails is named, and loses only those that come after it. Ctrl-C stops those that run;
    run again, they go on from their last checkpoint. A job that another process runs is left to it
    while there are others, and then waited for.

    Args:
      jobs: to be run; what they come after is among them, or finished.
      engine: where.

    Returns:
      name of each job that failed → why, in one line.
    """
    named = {job.name: job for job in jobs}
    order = graphlib.TopologicalSorter(
        {name: [one.name for one in job.after if one.name in named] for name, job in named.items()}
    )
    order.prepare()
    ready: list[str] = []
    running: dict[str, Handle] = {}
    failed: dict[str, str] = {}
    bar = tqdm.tqdm(total=len(named), unit="run", dynamic_ncols=True, mininterval=10)
    with bar, _cancelled_with_ctrl_c(running):
        while order.is_active():
            ready += order.get_ready()
            ended: dict[str, str] = {}
            for name in ready:
                if len(running) < engine.limit:
                    why = _begin(named[name], engine, running, failed)
                    ended |= {} if why is None else {name: why}
            ready = [name for name in ready if name not in {*ended, *running}]
            for name in [name for name, handle in running.items() if handle.done()]:
                ended[name] = _failure(named[name], running.pop(name))
            for name, why in ended.items():
                order.done(name)
                bar.update()
                if why:
                    failed[name] = why
                    bar.write(f"{name}: {why}", file=sys.stderr)
            if bar.postfix != (shown := ", ".join(running)):
                bar.set_postfix_str(shown)
            time.sleep(_POLL_S)
    return failed


@contextlib.contextmanager
def _cancelled_with_ctrl_c(running: Mapping[str, Handle]) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        for handle in running.values():
            handle.cancel()
        while not all(handle.done() for handle in running.values()):
            time.sleep(_POLL_S)
        raise


def _begin(
    job: Job, engine: Engine, running: dict[str, Handle], failed: Collection[str]
) -> str | None:
    """Begin a job, unless another process has it; where it needs no run, say why or nothing."""
    lost = [one.name for one in job.after if one.name in failed]
    if lost:
        return f"needs {', '.join(lost)}, which failed"
    if not job.begin():
        return "" if job.is_finished() else None
    try:
        running[job.name] = engine.submit(command_of(job))
    except RuntimeError as error:  # of submitit, where SLURM takes no more
        return f"could not be begun: {error}"
    return None


def command_of(job: Job) -> list[str]:
    """The command that runs a job in a process of its own."""
    return [sys.executable, "-m", runner.__name__, str(job.folder), json.dumps(job.commands)]


def _failure(job: Job, handle: Handle) -> str:
    """The reason why a job failed, if it did: its last line, and what its engine says."""
    error = handle.exception()
    if error is None and job.is_finished():
        return ""
    log = job.folder / runner.LOG
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    said = next(filter(None, map(str.strip, reversed(lines))), "it said nothing")
    ended = str(error).splitlines()[0] if error else "it left no results"
    return f"{said}; {ended} (all of it: {log})"
