"""What every worker does: takes steps when told to, and says how long they took.

Needs neither JAX nor PyTorch, since the interpreter of either imports it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable

TOLERANCE = 1e-4  # of a twin's logits, in parts of the largest


def settings() -> dict:
    """The worker's settings, as its parent gave them on the command line."""
    return json.loads(sys.argv[1])


def serve(turn: Callable[[], int], facts: Callable[[], dict]) -> None:
    """Serve turns until standard input ends.

    Args:
      turn: takes one step or more, waits for them, and gives their number.  It is called once per
        line of standard input, and answered with the seconds a step.
      facts: answered at the end.
    """
    turn()  # what is paid once (compiling, caches, threads) is no part of a step
    answer("ready")
    for _ in sys.stdin:
        begin_s = time.perf_counter()
        steps = turn()
        answer((time.perf_counter() - begin_s) / steps)
    answer(facts())


def peak_memory_mib() -> float:
    """Largest size so far of this process in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )


def answer(value: object) -> None:
    """Tell the parent."""
    print(json.dumps(value), flush=True)


def check_logits(logits, ours) -> None:
    """Stop a twin, whose logits these are, unless they are EmoJAX's: float arrays ``[B, K]``."""
    difference = abs(logits - ours).max() / abs(ours).max()
    if not difference < TOLERANCE:
        raise SystemExit(
            f"the twin's logits differ from EmoJAX's by {difference:.0%}: not the same network"
        )
