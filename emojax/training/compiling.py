"""How long compiling takes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import jax

_COMPILED = "/jax/core/compile/backend_compile_duration"  # or read from the cache of compiled programs


@contextlib.contextmanager
def counting_compile_s() -> Iterator[list[float]]:
    """Collects the seconds that each program takes to compile while the context is open.

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
