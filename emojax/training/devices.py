"""One mesh over all devices: the batch is split over them, the state is on each."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from emojax.data.batches import Batch
from emojax.training.state import EmoState


def _sharding(*axes: str | None) -> NamedSharding:
    return NamedSharding(Mesh(np.array(jax.devices()), ("batch",)), PartitionSpec(*axes))


def shard(batch: Batch) -> Batch:
    """Put a batch onto the devices, a part of its rows on each; corpora, if it has several, come before rows.

    Raises:
      ValueError: the rows cannot be split evenly.
    """
    rows, count = batch.label.shape[-1], len(jax.devices())
    if rows % count:
        raise ValueError(
            f"a batch of {rows} clips cannot be split over {count} devices; use a multiple of {count}"
        )
    return jax.device_put(batch, _sharding(*[None] * (batch.label.ndim - 1), "batch"))


def replicate(state: EmoState) -> EmoState:
    """Put the whole state onto every device."""
    shared, corpora = jax.device_put((state.shared, state.corpora), _sharding())
    return dataclasses.replace(state, shared=shared, corpora=corpora)
