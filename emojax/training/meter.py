"""What is measured between two looks at devel: losses, and how long the device waited for data."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from typing import TypeVar

import jax
import numpy as np

Item = TypeVar("Item")


class Meter:
    """Losses of each corpus and the share of time spent waiting for data, between two evaluations."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Forget what was measured."""
        self._losses: dict[str, list[jax.Array]] = defaultdict(list)
        self._waited_s = 0.0
        self._since_s = time.perf_counter()

    def waiting_for(self, batches: Iterator[Item]) -> Item:
        """The next batch; the time until it is there counts as waiting."""
        begin_s = time.perf_counter()
        item = next(batches)
        self._waited_s += time.perf_counter() - begin_s
        return item

    def add(self, name: str, loss: jax.Array) -> None:
        """Note a loss, which may still be under way on the device."""
        self._losses[name].append(loss)

    def flush(self, step: int) -> dict[str, float]:
        """Means since the start, named as in ``metrics.jsonl``.

        Raises:
          FloatingPointError: a loss is not finite; the message names the corpus.
        """
        losses = {name: float(np.mean(jax.device_get(values))) for name, values in self._losses.items()}
        broken = [name for name, loss in losses.items() if not np.isfinite(loss)]
        if broken:
            raise FloatingPointError(
                f"the loss of {', '.join(broken)} is not finite near step {step}; the checkpoints before "
                "it are kept; train again in another --workdir with smaller --config.learning_rates, or "
                "without that corpus"
            )
        elapsed_s = time.perf_counter() - self._since_s
        steps = sum(len(values) for values in self._losses.values())
        return {
            **{f"loss/{name}": loss for name, loss in losses.items()},
            "loss/mean": float(np.mean(list(losses.values()))),
            "time/step_s": elapsed_s / steps,
            "time/data_wait_share": self._waited_s / elapsed_s,
        }
