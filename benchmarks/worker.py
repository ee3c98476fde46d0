"""What every worker of ``step_time.py`` does: takes one step when told to, and says how long it took.

Needs neither JAX nor PyTorch, since the interpreter of either imports it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable


def settings() -> dict:
    """The worker's settings, as its parent gave them on the command line."""
    return json.loads(sys.argv[1])


def serve(step: Callable[[], object], facts: Callable[[], dict]) -> None:
    """Steps once per line of standard input and answers with the seconds; at its end with ``facts``."""
    step()  # what is paid once (caches, threads) is no part of a step
    _answer("ready")
    for _ in sys.stdin:
        begin_s = time.perf_counter()
        step()
        _answer(time.perf_counter() - begin_s)
    _answer(facts())


def peak_memory_mib() -> float:
    """Largest size so far of this process in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def _answer(value: object) -> None:
    print(json.dumps(value), flush=True)
