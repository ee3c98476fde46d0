"""Scheduler of a plan's jobs, in subprocesses on this machine or on a cluster."""

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
ENGINES = (
    "here, local:2 (so many at a time) or "
    "slurm:timeout_min=600,gpus_per_node=1,slurm_partition=NAME"
)


class Handle(Protocol):
    """Handle of a started process; submitit's jobs have these methods too."""

    def done(self) -> bool:
        """Return True once the process has ended."""

    def exception(self) -> BaseException | None:
        """Return the error of a failed process, else None."""

    def cancel(self) -> None:
        """Stop the process."""


@dataclasses.dataclass(frozen=True)
class Engine:
    """Engine that runs jobs.

    Attributes:
      submit: function that starts a command.
      limit: number of jobs that may run at once.
    """

    submit: Callable[[list[str]], Handle]
    limit: int


def make_engine(text: str, folder: Path) -> Engine:
    """Make an engine from its text on the command line.

    Args:
      text: ``here``, ``local:N``, or ``slurm`` with parameters of submitit:
        ``slurm:NAME=VALUE,...``.
      folder: folder for submitit's own files.

    Raises:
      ValueError: the text is invalid, submitit or SLURM is missing, or submitit does not know a
        parameter.
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
    """Process on this machine."""

    def __init__(self, command: list[str]) -> None:
        # With a session of its own it gets Ctrl-C only once, from cancel().
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
    """Run each job as soon as the jobs in its ``after`` are finished, and show a progress bar.

    A failed job is named; only jobs that come after it are skipped. Ctrl-C stops the running jobs,
    which resume from their last checkpoint in the next run. A job that another process runs is
    passed over while other jobs are left, and waited for at the end.

    Args:
      jobs: jobs to run; each job in an ``after`` is among them or finished.
      engine: engine that runs them.

    Returns:
      Name of each failed job → reason in one line.
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
                why = _failure(named[name], running.pop(name))
                if why and named[name].is_held():
                    ready.append(name)  # another process was a moment faster
                else:
                    ended[name] = why
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
    """Start a job; return None if it runs here or elsewhere, else the reason why it does not."""
    lost = [one.name for one in job.after if one.name in failed]
    if lost:
        return f"needs {', '.join(lost)}, which failed"
    if not job.begin():
        return "" if job.is_finished() else None
    try:
        running[job.name] = engine.submit(command_of(job))
    except RuntimeError as error:  # from submitit if SLURM refuses the job
        return f"could not be begun: {error}"
    return None


def command_of(job: Job) -> list[str]:
    """Return the command that runs a job in a process of its own."""
    return [sys.executable, "-m", runner.__name__, str(job.folder), json.dumps(job.commands)]


def _failure(job: Job, handle: Handle) -> str:
    """Return why a job failed, from its log and its engine; an empty text if it did not."""
    error = handle.exception()
    if job.is_finished():  # here, or by another process meanwhile
        return ""
    log = job.folder / runner.LOG
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    said = next(filter(None, map(str.strip, reversed(lines))), "it said nothing")
    ended = str(error).splitlines()[0] if error else "it left no results"
    return f"{said}; {ended} (all of it: {log})"
