"""Several processes as one run: who writes, and what all of them must agree on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import jax
import numpy as np
from jax.experimental import multihost_utils

from emojax.checkpoints import meet

AUTO = "auto"


def join(coordinator: str, processes: int | None = None, process: int | None = None) -> None:
    """Make this process one of a run's; call it before anything asks JAX for devices.

    Args:
      coordinator: ``HOST:PORT`` of process 0; ``auto`` where SLURM, Open MPI, Kubernetes or a TPU
        pod tells JAX all it needs; empty for a run of one process.
      processes: how many there are.
      process: the number of this one.

    Raises:
      ValueError: the three do not go together, or the processes did not find each other.
    """
    if not coordinator:
        if processes is not None or process is not None:
            raise ValueError("--processes and --process need --coordinator=HOST:PORT")
        return
    address = None if coordinator == AUTO else coordinator
    if address and (processes is None or process is None or not 0 <= process < processes):
        raise ValueError(
            f"--coordinator={coordinator} with --processes={processes} --process={process}; every process "
            "needs the number of all of them and its own, from 0 on; on SLURM and TPU pods give "
            "--coordinator=auto instead"
        )
    try:
        jax.distributed.initialize(address, processes, process)
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"--coordinator={coordinator}: the processes did not find each other: {error}"
        ) from None


def is_first() -> bool:
    """Whether this process is the one that writes and prints."""
    return jax.process_index() == 0


@contextlib.contextmanager
def first_goes_ahead(name: str) -> Iterator[None]:
    """The body is run by the first process, and then by all others; ``name`` is of the meeting point.

    What it raises in the first one, it raises in the others when they come to it.
    """
    several = jax.process_count() > 1
    if several and not is_first():
        meet(name)
    try:
        yield
    finally:
        if several and is_first():
            meet(name)


def on_any_process(flag: bool) -> bool:
    """Whether the flag is up in any process; all of them must ask."""
    return (
        bool(multihost_utils.process_allgather(np.array(flag)).any())
        if jax.process_count() > 1
        else flag
    )


def on_all_processes(flag: bool) -> bool:
    """Whether the flag is up in all processes; all of them must ask."""
    return not on_any_process(not flag)


def as_the_first_says(values: np.ndarray) -> np.ndarray:
    """The first process's values, on all of them: what decides how a run goes on must be one thing."""
    return (
        np.asarray(multihost_utils.broadcast_one_to_all(values))
        if jax.process_count() > 1
        else values
    )
