"""Choice of a step's corpus by the seed and the step number."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

import numpy as np

ROUND_ROBIN = "round_robin"
SYNCHRONOUS = "synchronous"  # side by side: one update of the shared subtree in a round
_STEPS_PER_DRAW = 1024


def corpus_weights(sampling: str, sizes: Mapping[str, int]) -> np.ndarray | None:
    """Return the probability of each corpus, or None if the corpora take turns.

    Args:
      sampling: ``round_robin`` or ``synchronous``; ``size`` (in proportion to the clips) or
        ``size^P`` (to their P-th power, P below 10; the temperature is 1 / P); or weights, as in
        ``emodb=2,casia=1``.
      sizes: corpus → clips of its training part.

    Returns:
      float64 ``[corpora]``, with sum 1.

    Raises:
      ValueError: ``sampling`` is none of these, or the weights do not match the corpora.

    >>> corpus_weights("size^0.5", {"emodb": 400, "casia": 900}).tolist()
    [0.4, 0.6]
    """
    if sampling in (ROUND_ROBIN, SYNCHRONOUS):
        return None
    power = re.fullmatch(r"size(?:\^(\d(?:\.\d+)?))?", sampling)
    if power:
        weights = np.array([*sizes.values()], float) ** float(power[1] or 1)
    else:
        weights = _given_weights(sampling, sizes)
    return weights / weights.sum()


def check_sampling(sampling: str) -> None:
    """Raise a ValueError for an unknown sampling, independent of the corpora."""
    corpus_weights(sampling, dict.fromkeys(_parse_weights(sampling), 1) or {"emodb": 1, "casia": 1})


def _parse_weights(sampling: str) -> dict[str, float]:
    """Parse corpus → weight; return an empty dict if the text is no list of weights."""
    items = [item.split("=") for item in sampling.split(",")]
    try:
        weights = {name: float(weight) for name, weight in items}
    except ValueError:
        return {}
    return weights if len(weights) == len(items) else {}


def _given_weights(sampling: str, sizes: Mapping[str, int]) -> np.ndarray:
    given = _parse_weights(sampling)
    if set(given) != set(sizes) or not all(0 < weight < np.inf for weight in given.values()):
        example = ",".join(f"{name}=1" for name in sizes)
        raise ValueError(
            f"sampling={sampling!r}; choose {ROUND_ROBIN}, {SYNCHRONOUS}, size, size^P such as "
            f"size^0.5, or a weight greater than 0 for every corpus: {example}"
        )
    return np.array([given[name] for name in sizes])


def turn_of(
    step: int, order: Sequence[int], weights: np.ndarray | None, seed: int
) -> tuple[int, int]:
    """Return the corpus of a step, and the number of its earlier steps.

    Args:
      step: number of the step.
      order: order of the corpora in a round; unused with weights.
      weights: the result of :func:`corpus_weights`.
      seed: seed of the run.

    >>> [turn_of(step, [1, 0], None, seed=0) for step in (3, 4, 5)]
    [(0, 1), (1, 2), (0, 2)]
    """
    if weights is None:
        turn, place = divmod(step, len(order))
        return order[place], turn
    number, place = divmod(step, _STEPS_PER_DRAW)
    drawn, before = _drawn(tuple(weights), seed, number)
    corpus = int(drawn[place])
    return corpus, int(before[corpus] + np.count_nonzero(drawn[:place] == corpus))


@functools.lru_cache(maxsize=4)
def _drawn(weights: tuple[float, ...], seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the corpora of a block of steps; count how often each was drawn before the block."""
    draws = np.stack(
        [
            np.random.default_rng((seed, 2, draw)).choice(len(weights), _STEPS_PER_DRAW, p=weights)
            for draw in range(number + 1)
        ]
    )
    return draws[-1], np.bincount(draws[:-1].ravel(), minlength=len(weights))
