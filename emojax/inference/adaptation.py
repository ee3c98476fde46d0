"""Re-estimation of a network's norms on recordings without labels."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from emojax.data.batches import Batch, make_batch, split_clip, waveforms
from emojax.inference.network import Network
from emojax.inference.predict import BATCH_SIZE, WINDOW_SAMPLES
from emojax.models.layers import BATCH_NORM_MOMENTUM
from emojax.models.speech_network import SpeechNetwork
from emojax.models.subtrees import Params, join

FEWEST_WINDOWS = 16
Moments = Callable[[Network, Batch], tuple[Params, jax.Array]]


def adapt_norms(model: SpeechNetwork, network: Network, windows: Iterable[np.ndarray]) -> Network:
    """Replace the statistics of every norm by those of other recordings.

    A batch is normalised by its own moments, as in training. The moments of all batches are pooled,
    weighted by their frames.

    Args:
      model: the network.
      network: its parameters.
      windows: int16 or float32 arrays ``[n]`` of at most 5 s at 16 kHz, in random order, so that
        each batch of 64 is representative. They are read lazily, a batch at once.

    Raises:
      ValueError: there are fewer than ``FEWEST_WINDOWS``, or the network has no norms.
    """
    if not network.stats:
        raise ValueError("this network has no norms to adapt")
    moments, windows = _make_moments(model), iter(windows)
    total, weight = jax.tree.map(lambda leaf: np.zeros(leaf.shape), network.stats), 0.0
    while some := list(itertools.islice(windows, BATCH_SIZE)):
        if not weight and len(some) < FEWEST_WINDOWS:
            raise ValueError(
                f"{len(some)} recordings, counted in pieces of 5 s, are too few to estimate norms; "
                f"give at least {FEWEST_WINDOWS}, better some hundreds"
            )
        batch = make_batch(some, np.zeros(len(some), np.int32), BATCH_SIZE)
        own, frames = jax.device_get(moments(network, batch))
        total = jax.tree.map(np.add, total, own)
        weight += float(frames)
    if not weight:
        raise ValueError(f"no recordings; give at least {FEWEST_WINDOWS}, better some hundreds")
    stats = {name: _central(norm, weight) for name, norm in total.items()}
    return dataclasses.replace(network, stats=stats)


def shuffled_windows(clips: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the windows of all clips ``[n]`` for :func:`adapt_norms`, the clips in random order."""
    for i in np.random.default_rng(0).permutation(len(clips)):
        yield from split_clip(clips[i], WINDOW_SAMPLES)


def _central(norm: dict[str, np.ndarray], weight: float) -> dict[str, jax.Array]:
    """Turn sums of means and of mean squares into mean and variance."""
    mean = norm["mean"] / weight
    variance = np.maximum(norm["variance"] / weight - mean**2, 0)
    return {"mean": jnp.asarray(mean, jnp.float32), "variance": jnp.asarray(variance, jnp.float32)}


@functools.lru_cache(maxsize=8)
def _make_moments(model: SpeechNetwork) -> Moments:
    """Make the function that sums means and mean squares of a batch at every norm, by frames."""
    without_dropout = model.clone(dropout=0.0)

    @jax.jit
    def moments(network: Network, batch: Batch) -> tuple[Params, jax.Array]:
        inputs = model.inputs(waveforms(batch), jnp.asarray(batch.length))
        zeros = jax.tree.map(jnp.zeros_like, network.stats)
        variables = {"params": join(network.shared, network.corpus), "stats": zeros}
        _, changed = without_dropout.apply(
            variables, *inputs, network.class_mask, train=True, mutable="stats"
        )
        # After one update, running statistics that began at 0 are this share of the batch's.
        share = 1 - BATCH_NORM_MOMENTUM
        own = jax.tree.map(lambda leaf: leaf / share, cast(Any, changed)["stats"])
        weight = inputs[1].sum().astype(jnp.float32)
        sums = {
            name: {
                "mean": weight * norm["mean"],
                "variance": weight * (norm["variance"] + norm["mean"] ** 2),
            }
            for name, norm in own.items()
        }
        return sums, weight

    return moments
