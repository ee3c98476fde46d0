"""Runs of several processes: the process that writes, and values that all must agree on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import jax
import numpy as np
from jax.experimental import multihost_utils

from emojax.checkpoints import meet

AUTO = "auto"


def join(coordinator: str, processes: int | None = None, process: int | None = None) -> None:
    """Join this process to a run; call it before any use of JAX's devices.

    Args:
      coordinator: ``HOST:PORT`` of process 0; ``auto`` if SLURM, Open MPI, Kubernetes or a TPU pod
        configures JAX; empty for a run of one process.
      processes: number of processes.
      process: index of this process.

    Raises:
      ValueError: the arguments contradict each other, or the processes did not find each other.
    """
    if not coordinator:
        if processes is not None or process is not None:
            raise ValueError("--processes and --process need --coordinator=HOST:PORT")
        return
    address = None if coordinator == AUTO else coordinator
    if address and (processes is None or process is None or not 0 <= process < processes):
        raise ValueError(
            f"--coordinator={coordinator} with --processes={processes} --process={process}; every "
            "process needs the number of all of them and its own, from 0 on; on SLURM and TPU pods "
            "give --coordinator=auto instead"
        )
    try:
        jax.distributed.initialize(address, processes, process)
    except (ValueError, RuntimeError) as error:
        raise ValueError(
            f"--coordinator={coordinator}: the processes did not find each other: {error}"
        ) from None


def is_first() -> bool:
    """Return whether this process writes and prints."""
    return jax.process_index() == 0


@contextlib.contextmanager
def first_goes_ahead(name: str) -> Iterator[None]:
    """Run the body in the first process, then in all others; ``name`` identifies the barrier.

    If the body raises in the first process, it also raises in the others when they run it.
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
    """Return whether the flag is set in any process; all processes must call this."""
    return (
        bool(multihost_utils.process_allgather(np.array(flag)).any())
        if jax.process_count() > 1
        else flag
    )


def on_all_processes(flag: bool) -> bool:
    """Return whether the flag is set in all processes; all processes must call this."""
    return not on_any_process(not flag)


def as_the_first_says(values: np.ndarray) -> np.ndarray:
    """Broadcast the first process's values, so that all processes take the same decisions."""
    return (
        np.asarray(multihost_utils.broadcast_one_to_all(values))
        if jax.process_count() > 1
        else values
    )
