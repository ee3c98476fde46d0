"""What training needs next is made ahead of it, in threads."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import grain

AHEAD = 2


def prefetched(make: Callable[[int], Any], first: int = 0) -> grain.DatasetIterator:
    """``make(first)``, ``make(first + 1)``, and so on, each begun before it is asked for.

    An error is raised where its item is asked for.  After ``close()`` no further item is begun; what is under
    way is waited for when the process ends.

    >>> squares = prefetched(lambda number: number**2, first=3)
    >>> next(squares), next(squares)
    (9, 16)
    >>> squares.close()
    """
    numbers = grain.MapDataset.range(first, sys.maxsize)
    return iter(numbers.map(make).to_iter_dataset(grain.ReadOptions(AHEAD, AHEAD)))
