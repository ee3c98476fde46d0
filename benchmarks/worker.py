"""Common code of all workers: take steps on request, and report their time.

This module needs neither JAX nor PyTorch, since the interpreters of both import it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable

TOLERANCE = 1e-4  # largest difference of a twin's logits, relative to the largest logit


def settings() -> dict:
    """Read the worker's settings from the command line."""
    return json.loads(sys.argv[1])


def serve(turn: Callable[[], int], facts: Callable[[], dict]) -> None:
    """Serve turns until standard input ends.

    Args:
      turn: function that takes one or more steps, waits for them, and returns their number. It is
        called once per line of standard input; the reply is the seconds per step.
      facts: function that returns the facts to report at the end.
    """
    turn()  # the first turn pays for compiling, caches and threads
    answer("ready")
    for _ in sys.stdin:
        begin_s = time.perf_counter()
        steps = turn()
        answer((time.perf_counter() - begin_s) / steps)
    answer(facts())


def peak_memory_mib() -> float:
    """Return the peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )


def answer(value: object) -> None:
    """Send a reply to the parent."""
    print(json.dumps(value), flush=True)


def check_logits(logits, ours) -> None:
    """Exit unless the twin's logits, float ``[B, K]``, agree with EmoJAX's."""
    difference = abs(logits - ours).max() / abs(ours).max()
    if not difference < TOLERANCE:
        raise SystemExit(
            f"the twin's logits differ from EmoJAX's by {difference:.0%}: not the same network"
        )
