"""How clips come to a step: from the device's own memory, or, where they do not fit, from the host."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import grain
import jax
import jax.numpy as jnp
import numpy as np
import psutil

from emojax.data.batches import Batch
from emojax.data.prepared import Clips, in_memory, one_by_one
from emojax.data.sampling import ClipIndices

# Clips begin at multiples of this, so that 32-bit indices reach 2³¹ of them: 9,000 hours.
ROW_SAMPLES = 256
AHEAD = 2  # batches that are prepared before they are asked for
_STAGED = 4 / 5  # of the host's free memory, at most, are clips on their way to a device


class Feed(Protocol):
    """Turns draws into batches: a part on the host, a part inside the jitted step.

    Attributes:
      data: what every step is given, a pytree of arrays.
    """

    data: Any

    def rows(self, drawn: Sequence[ClipIndices], window: int) -> Any:
        """What the steps of ``drawn`` are given besides: a pytree of numpy arrays, ``[S, B, ...]``."""

    @staticmethod
    def batch(data: Any, rows: Any, window: int) -> Batch:
        """The batch of one step, of ``window`` samples, from ``data`` and its own ``rows``; traced."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Store:
    """The clips of all corpora, one after the other.

    Attributes:
      rows: i16 ``[R, ROW_SAMPLES]``, 16 kHz; a clip begins with a row of its own.
      first_row: i32 ``[N]``.
      length: i32 ``[N]``, samples.
      label: i32 ``[N]``.
    """

    rows: jax.Array | np.ndarray
    first_row: jax.Array | np.ndarray
    length: jax.Array | np.ndarray
    label: jax.Array | np.ndarray


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Chunks:
    """Which chunk of which clip each row of a batch is: i32 ``[..., B]``, a clip's number and a sample's."""

    clip: jax.Array | np.ndarray
    start: jax.Array | np.ndarray


class DeviceFeed:
    """All clips are on the device; a step is sent the numbers of its clips.

    Args:
      corpora: corpus → its training part.
      put: puts arrays of the host onto the device.

    >>> from emojax.data.prepared import Recordings
    >>> feed = DeviceFeed({"a": Recordings([np.arange(300, dtype=np.int16)], np.zeros(1, np.int32))})
    >>> one = feed.rows([ClipIndices(0, np.array([0]), np.array([298]))], 4)
    >>> feed.batch(feed.data, jax.tree.map(lambda leaf: leaf[0], one), 4).audio.tolist()
    [[298, 299, 0, 0]]
    """

    def __init__(
        self, corpora: Mapping[str, Clips], put: Callable[[Any], Any] = jax.device_put
    ) -> None:
        self._first_clip = np.cumsum([0, *(len(part.lengths) for part in corpora.values())])
        self.data = put(make_store(corpora))

    def rows(self, drawn: Sequence[ClipIndices], window: int) -> Chunks:
        """Numbers of clips and of their first samples."""
        clips = [self._first_clip[draw.corpus] + draw.clips for draw in drawn]
        starts = [draw.starts for draw in drawn]
        return Chunks(np.stack(clips).astype(np.int32), np.stack(starts).astype(np.int32))

    @staticmethod
    def batch(data: Store, rows: Chunks, window: int) -> Batch:
        """Gathers the chunks."""
        length = jnp.clip(data.length[rows.clip] - rows.start, 0, window)
        # Whole rows, of which a window can begin in the middle of the first one.
        count = 1 + -(-window // ROW_SAMPLES)
        first = data.first_row[rows.clip] + rows.start // ROW_SAMPLES
        index = jnp.minimum(first[:, None] + np.arange(count), data.rows.shape[0] - 1)
        samples = data.rows[index].reshape(len(first), -1)
        cut = jax.vmap(lambda one, start: jax.lax.dynamic_slice(one, (start,), (window,)))
        samples = cut(samples, rows.start % ROW_SAMPLES)
        inside = np.arange(window) < length[:, None]  # after its end come the next clip's samples
        return Batch(jnp.where(inside, samples, jnp.int16(0)), length, data.label[rows.clip])


def make_store(corpora: Mapping[str, Clips]) -> Store:
    """One array of all clips, in the host's memory."""
    length = np.concatenate([part.lengths for part in corpora.values()]).astype(np.int32)
    first_row = np.cumsum([0, *(-(-length // ROW_SAMPLES))]).astype(np.int32)
    rows = np.zeros((first_row[-1], ROW_SAMPLES), np.int16)
    clips = itertools.chain.from_iterable(map(one_by_one, corpora.values()))
    for first, clip in zip(first_row, clips, strict=False):
        rows[first:].reshape(-1)[: len(clip)] = clip
    label = np.concatenate([part.labels for part in corpora.values()])
    return Store(rows, first_row[:-1], length, label)


class HostFeed:
    """Clips stay where they are, in the host's memory or on its disk; a step is sent its audio.

    Args:
      corpora: corpus → its training part.
    """

    data = ()

    def __init__(self, corpora: Mapping[str, Clips]) -> None:
        self._parts = list(corpora.values())

    def rows(self, drawn: Sequence[ClipIndices], window: int) -> Batch:
        """The audio itself, i16 ``[S, B, window]``."""
        shape = len(drawn), len(drawn[0].clips)
        audio, length = np.zeros((*shape, window), np.int16), np.zeros(shape, np.int32)
        for step, draw in enumerate(drawn):
            clips = self._parts[draw.corpus].take(draw.clips)
            for row, (clip, start) in enumerate(zip(clips, draw.starts, strict=True)):
                chunk = clip[start : start + window]
                audio[step, row, : len(chunk)], length[step, row] = chunk, len(chunk)
        label = [self._parts[draw.corpus].labels[draw.clips] for draw in drawn]
        return Batch(audio, length, np.stack(label))

    @staticmethod
    def batch(data: tuple, rows: Batch, window: int) -> Batch:
        """The rows, which are the batch."""
        return rows


def fits(corpora: Mapping[str, Clips]) -> bool:
    """Whether the clips take at most half of what is free on each device, and the host can pass them on."""
    return has_room(_bytes(corpora), 1 / 2) and _bytes(corpora) <= _STAGED * _free_host_bytes()


def has_room(data_bytes: int, share: float) -> bool:
    """Whether so much data takes at most this share of what is free on each device; a CPU's is the host's."""
    stats = [device.memory_stats() for device in jax.local_devices()]
    free = [own["bytes_limit"] - own["bytes_in_use"] for own in stats if own]
    return data_bytes <= share * min(free, default=_free_host_bytes())


def _bytes(corpora: Mapping[str, Clips]) -> int:
    return np.dtype(np.int16).itemsize * sum(int(part.lengths.sum()) for part in corpora.values())


def _free_host_bytes() -> int:
    return psutil.virtual_memory().available


def make_feed(
    corpora: Mapping[str, Clips], on_device: bool, put: Callable[[Any], Any]
) -> DeviceFeed | HostFeed:
    """The clips on the device, or else in the host's memory, or else where they are.

    All give the same batches for the same draws.
    """
    if on_device:
        return DeviceFeed(corpora, put)
    # From memory come several times as many clips a second as from the disk.
    if _bytes(corpora) <= _free_host_bytes() / 2:
        corpora = {name: in_memory(part) for name, part in corpora.items()}
    return HostFeed(corpora)


def prefetched(make: Callable[[int], Any], first: int = 0) -> grain.DatasetIterator:
    """``make(first)``, ``make(first + 1)``, and so on, each begun before it is asked for.

    An error is raised where its item is asked for.  After ``close()`` no further item is begun;
    what is under way is waited for when the process ends.

    >>> squares = prefetched(lambda number: number**2, first=3)
    >>> next(squares), next(squares)
    (9, 16)
    >>> squares.close()
    """
    numbers = grain.MapDataset.range(first, sys.maxsize)
    return iter(numbers.map(make).to_iter_dataset(grain.ReadOptions(AHEAD, AHEAD)))
