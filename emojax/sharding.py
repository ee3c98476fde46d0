"""Where arrays lie: one mesh over all devices of all processes, an axis for rows and one for corpora."""

from __future__ import annotations

import dataclasses
import math
from typing import TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

Tree = TypeVar("Tree")


@dataclasses.dataclass(frozen=True)
class Layout:
    """Which part of a run lies on which devices.

    Attributes:
      mesh: has the axes ``"corpus"`` and ``"batch"``.
    """

    mesh: Mesh

    @property
    def everywhere(self) -> NamedSharding:
        """A copy on each device."""
        return NamedSharding(self.mesh, PartitionSpec())

    @property
    def corpora(self) -> NamedSharding:
        """Stacked corpora, each on the devices of its place on the corpus axis."""
        # Of an axis of one, JAX names a result's sharding this way; by another name it would
        # compile again.
        spread = ("corpus",) if self.mesh.shape["corpus"] > 1 else ()
        return NamedSharding(self.mesh, PartitionSpec(*spread))

    @property
    def rows(self) -> NamedSharding:
        """Rows ``[S, B, ...]`` of successive steps (of corpora, in synchronous rounds), split both ways."""
        return NamedSharding(self.mesh, PartitionSpec("corpus", "batch"))

    @property
    def all_rows(self) -> NamedSharding:
        """Rows ``[B, ...]`` of one corpus, over all devices."""
        return NamedSharding(self.mesh, PartitionSpec(("corpus", "batch")))


def make_layout(corpora: int = 1, count: int | None = None) -> Layout:
    """As many devices along the corpus axis as divide the corpora evenly; the others split rows.

    Args:
      corpora: trained side by side; 1 where they are trained in turn.
      count: how many devices; all if not given.
    """
    devices = np.array(jax.devices()[:count])
    return Layout(Mesh(devices.reshape(math.gcd(corpora, len(devices)), -1), ("corpus", "batch")))


def check_batch_size(batch_size: int, layout: Layout) -> None:
    """Raise a ValueError for a batch that cannot be split evenly."""
    count = layout.mesh.shape["batch"]
    if batch_size % count:
        raise ValueError(
            f"a batch of {batch_size} clips cannot be split over {count} devices; use a multiple of {count}: "
            "--config.batch_size=..."
        )


def place(tree: Tree, sharding: NamedSharding) -> Tree:
    """Put arrays that every process has onto the devices; no process asks another one."""

    def put(leaf):
        leaf = np.asarray(leaf)
        return jax.make_array_from_callback(leaf.shape, sharding, lambda index: leaf[index])

    return jax.tree.map(put, tree)


def place_rows(tree: Tree, layout: Layout) -> Tree:
    """Put a batch ``[B, ...]`` onto the devices: a share on each, where it can be split evenly."""
    rows = len(jax.tree.leaves(tree)[0])
    return place(tree, layout.all_rows if rows % layout.mesh.size == 0 else layout.everywhere)
