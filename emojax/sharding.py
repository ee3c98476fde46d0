"""Placement of arrays on a mesh of all devices, with an axis for rows and one for corpora."""

from __future__ import annotations

import dataclasses
import math
from typing import TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from emojax.target import Target, target_of

Tree = TypeVar("Tree")


@dataclasses.dataclass(frozen=True)
class Layout:
    """Placement of a run's arrays on the devices.

    Attributes:
      mesh: mesh with the axes ``"corpus"`` and ``"batch"``.
    """

    mesh: Mesh

    @property
    def target(self) -> Target:
        """Kind of its devices."""
        return target_of(self.mesh.devices.flat[0])

    @property
    def everywhere(self) -> NamedSharding:
        """Sharding with a copy on each device."""
        return NamedSharding(self.mesh, PartitionSpec())

    @property
    def corpora(self) -> NamedSharding:
        """Sharding of stacked corpora along the corpus axis."""
        # JAX gives results this sharding if the axis has size one; another would compile again.
        spread = ("corpus",) if self.mesh.shape["corpus"] > 1 else ()
        return NamedSharding(self.mesh, PartitionSpec(*spread))

    @property
    def rows(self) -> NamedSharding:
        """Sharding of rows ``[S, B, ...]`` of steps or, in synchronous rounds, corpora."""
        return NamedSharding(self.mesh, PartitionSpec("corpus", "batch"))

    @property
    def all_rows(self) -> NamedSharding:
        """Sharding of the rows ``[B, ...]`` of one corpus over all devices."""
        return NamedSharding(self.mesh, PartitionSpec(("corpus", "batch")))


def make_layout(corpora: int = 1, count: int | None = None) -> Layout:
    """Make a mesh: the corpus axis divides the corpora evenly, the batch axis splits rows.

    Args:
      corpora: number of corpora trained side by side; 1 if they are trained in turn.
      count: number of devices; all if not given.
    """
    devices = np.array(jax.devices()[:count])
    return Layout(Mesh(devices.reshape(math.gcd(corpora, len(devices)), -1), ("corpus", "batch")))


def check_batch_size(batch_size: int, layout: Layout) -> None:
    """Raise a ValueError for a batch that cannot be split evenly."""
    count = layout.mesh.shape["batch"]
    if batch_size % count:
        raise ValueError(
            f"a batch of {batch_size} clips cannot be split over {count} devices; use a multiple "
            f"of {count}: --config.batch_size=..."
        )


def place(tree: Tree, sharding: NamedSharding) -> Tree:
    """Put arrays that every process has onto the devices, without communication."""

    def put(leaf):
        leaf = np.asarray(leaf)
        return jax.make_array_from_callback(leaf.shape, sharding, lambda index: leaf[index])

    return jax.tree.map(put, tree)


def place_rows(tree: Tree, layout: Layout) -> Tree:
    """Put a batch ``[B, ...]`` onto the devices: split if it divides evenly, else copied."""
    rows = len(jax.tree.leaves(tree)[0])
    return place(tree, layout.all_rows if rows % layout.mesh.size == 0 else layout.everywhere)
