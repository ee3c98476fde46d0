"""What is measured between two looks at devel: losses, and how long the device waited for data."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
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
        self._losses: list[tuple[Sequence[str], jax.Array]] = []
        self._waited_s = 0.0
        self._since_s = time.perf_counter()

    def waiting_for(self, batches: Iterator[Item]) -> Item:
        """The next batch; the time until it is there counts as waiting."""
        begin_s = time.perf_counter()
        item = next(batches)
        self._waited_s += time.perf_counter() - begin_s
        return item

    def add(self, names: Sequence[str], losses: jax.Array) -> None:
        """Note the losses f32 ``[S]`` of some corpora, which may still be under way on the device."""
        self._losses.append((names, losses))

    def flush(self, step: int) -> dict[str, float]:
        """Means since the start, named as in ``metrics.jsonl``.

        Raises:
          FloatingPointError: a loss is not finite; the message names the corpus.
        """
        values = defaultdict(list)
        for names, losses_ in self._losses:
            for name, loss in zip(names, jax.device_get(losses_), strict=True):
                values[name].append(loss)
        losses = {name: float(np.mean(own)) for name, own in values.items()}
        broken = [name for name, loss in losses.items() if not np.isfinite(loss)]
        if broken:
            raise FloatingPointError(
                f"the loss of {', '.join(broken)} is not finite near step {step}; the checkpoints before "
                "it are kept; train again in another --workdir with smaller --config.learning_rates, or "
                "without that corpus"
            )
        elapsed_s = time.perf_counter() - self._since_s
        steps = sum(len(names) for names, _ in self._losses)
        return {
            **{f"loss/{name}": loss for name, loss in losses.items()},
            "loss/mean": float(np.mean(list(losses.values()))),
            "time/step_s": elapsed_s / steps,
            "time/data_wait_share": self._waited_s / elapsed_s,
        }
