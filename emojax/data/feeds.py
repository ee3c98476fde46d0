"""Feeds: they make the batches of training steps, from the device's memory or from the host."""

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

from emojax.data.batches import Batch
from emojax.data.prepared import Clips, all_in_memory, one_by_one, unshared
from emojax.data.sampling import ClipIndices
from emojax.host_memory import free_bytes

# Clips start at multiples of this many samples, so 32-bit row indices cover 9,000 hours.
ROW_SAMPLES = 256
AHEAD = 2  # number of items prepared in advance
_STAGED = 4 / 5  # largest share of the host's free memory for clips that are copied to a device


class Feed(Protocol):
    """Interface: makes a batch from clip indices, on the host and in the jitted step.

    Attributes:
      data: constant input of every step, a pytree of arrays.
      sends_audio: whether :meth:`rows` has audio; else it has indices only.
    """

    data: Any
    sends_audio: bool

    def rows(self, drawn: Sequence[ClipIndices], window: int) -> Any:
        """Return the other input of the steps ``drawn``: a pytree of arrays ``[S, B, ...]``."""

    @staticmethod
    def batch(data: Any, rows: Any, window: int) -> Batch:
        """Make the batch of one step, of ``window`` samples, inside the jitted step."""


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Store:
    """Clips of all corpora, one after the other; a recording of several domains is stored once.

    Attributes:
      rows: i16 ``[R, ROW_SAMPLES]``, 16 kHz; each recording starts a new row.
      first_row: i32 ``[N]``, the first row of each clip.
      length: i32 ``[N]``, samples.
      label: i32 ``[N]``.
      numbers: f32 ``[N, D]``; None if no corpus has numbers.
    """

    rows: jax.Array | np.ndarray
    first_row: jax.Array | np.ndarray
    length: jax.Array | np.ndarray
    label: jax.Array | np.ndarray
    numbers: jax.Array | np.ndarray | None = None


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Chunks:
    """Crops of clips, one for each row of a batch: i32 ``[..., B]``, clip and first sample."""

    clip: jax.Array | np.ndarray
    start: jax.Array | np.ndarray


class DeviceFeed:
    """Feed with all clips on the device; the host sends only the indices of a step's clips.

    Args:
      corpora: corpus → its training part.
      put: function that copies host arrays to the device.

    >>> from emojax.data.prepared import Recordings
    >>> clip = np.arange(300, dtype=np.int16)
    >>> feed = DeviceFeed({"a": Recordings([clip], np.zeros(1, np.int32))})
    >>> one = feed.rows([ClipIndices(0, np.array([0]), np.array([298]))], 4)
    >>> feed.batch(feed.data, jax.tree.map(lambda leaf: leaf[0], one), 4).audio.tolist()
    [[298, 299, 0, 0]]
    """

    sends_audio = False

    def __init__(
        self, corpora: Mapping[str, Clips], put: Callable[[Any], Any] = jax.device_put
    ) -> None:
        self._first_clip = np.cumsum([0, *(len(part.lengths) for part in corpora.values())])
        self.data = put(make_store(corpora))

    def rows(self, drawn: Sequence[ClipIndices], window: int) -> Chunks:
        """Return the indices of clips and of their first samples."""
        clips = [self._first_clip[draw.corpus] + draw.clips for draw in drawn]
        starts = [draw.starts for draw in drawn]
        return Chunks(np.stack(clips).astype(np.int32), np.stack(starts).astype(np.int32))

    @staticmethod
    def batch(data: Store, rows: Chunks, window: int) -> Batch:
        """Gather the crops."""
        length = jnp.clip(data.length[rows.clip] - rows.start, 0, window)
        # Gather whole rows; the window can begin within the first one.
        count = 1 + -(-window // ROW_SAMPLES)
        first = data.first_row[rows.clip] + rows.start // ROW_SAMPLES
        index = jnp.minimum(first[:, None] + np.arange(count), data.rows.shape[0] - 1)
        samples = jax.lax.platform_dependent(
            *(data.rows[index], rows.start % ROW_SAMPLES), tpu=_cut_by_product, default=_cut
        )[:, :window]
        inside = np.arange(window) < length[:, None]  # the next clip's samples follow
        audio = jnp.where(inside, samples, jnp.int16(0))
        numbers = None if data.numbers is None else data.numbers[rows.clip]
        return Batch(audio, length, data.label[rows.clip], numbers)


def _cut(rows: jax.Array, start: jax.Array) -> jax.Array:
    """Cut each clip at its start: i16 ``[B, R, ROW_SAMPLES]`` → ``[B, (R - 1) · ROW_SAMPLES]``.

    Args:
      rows: successive rows of each clip.
      start: i32 ``[B]``, index of the first sample in the first row.
    """
    size = (rows.shape[1] - 1) * ROW_SAMPLES
    cut = jax.vmap(lambda one, start: jax.lax.dynamic_slice(one, (start,), (size,)))
    return cut(rows.reshape(len(rows), -1), start)


def _cut_by_product(rows: jax.Array, start: jax.Array) -> jax.Array:
    """Cut by products with a matrix of zeros and ones, because :func:`_cut` is a loop on TPUs.

    bf16 holds eight bits exactly, so each byte of a sample has its own product.
    """
    pairs = jnp.concatenate([rows[:, :-1], rows[:, 1:]], axis=-1)
    place = start[:, None, None] + np.arange(ROW_SAMPLES)
    chosen = (np.arange(2 * ROW_SAMPLES)[:, None] == place).astype(jnp.bfloat16)
    high, low = (
        jnp.matmul(byte.astype(jnp.bfloat16), chosen, preferred_element_type=jnp.float32)
        for byte in (pairs >> 8, pairs & 255)
    )
    return (256 * high + low).astype(jnp.int16).reshape(len(rows), -1)


def make_store(corpora: Mapping[str, Clips]) -> Store:
    """Copy all clips into one array in the host's memory."""
    length = np.concatenate([part.lengths for part in corpora.values()]).astype(np.int32)
    keys = [key for part in corpora.values() for key in part.keys]
    unique = dict(zip(keys, length, strict=True))  # in the order in which keys come first
    ends = np.cumsum([0, *(-(-own // ROW_SAMPLES) for own in unique.values())]).astype(np.int32)
    first_row = dict(zip(unique, ends, strict=False))
    rows = np.zeros((ends[-1], ROW_SAMPLES), np.int16)
    clips = itertools.chain.from_iterable(map(one_by_one, corpora.values(), unshared(corpora)))
    for first, clip in zip(ends, clips, strict=False):
        rows[first:].reshape(-1)[: len(clip)] = clip
    label = np.concatenate([part.labels for part in corpora.values()])
    numbers = padded_numbers(corpora)
    return Store(
        rows,
        np.array([first_row[key] for key in keys], np.int32),
        length,
        label,
        None if numbers is None else np.concatenate(numbers),
    )


def padded_numbers(corpora: Mapping[str, Clips]) -> list[np.ndarray] | None:
    """Pad the numbers of each corpus to f32 ``[N, D]``, where D is the largest count of a corpus.

    The padding is 0; so are all numbers of a corpus with labels. None if no corpus has numbers.
    """
    given = [part.numbers.shape[1] for part in corpora.values() if part.numbers is not None]
    if not given:
        return None
    padded = []
    for part in corpora.values():
        own = np.zeros((len(part.lengths), max(given)), np.float32)
        if part.numbers is not None:
            own[:, : part.numbers.shape[1]] = part.numbers
        padded.append(own)
    return padded


class HostFeed:
    """Feed with the clips in the host's memory or on its disk; the host sends a step's audio.

    Args:
      corpora: corpus → its training part.
    """

    data = ()
    sends_audio = True

    def __init__(self, corpora: Mapping[str, Clips]) -> None:
        self._parts = list(corpora.values())
        self._numbers = padded_numbers(corpora)

    def rows(self, drawn: Sequence[ClipIndices], window: int) -> Batch:
        """Return batches with audio i16 ``[S, B, window]``."""
        shape = len(drawn), len(drawn[0].clips)
        audio, length = np.zeros((*shape, window), np.int16), np.zeros(shape, np.int32)
        for step, draw in enumerate(drawn):
            clips = self._parts[draw.corpus].take(draw.clips)
            for row, (clip, start) in enumerate(zip(clips, draw.starts, strict=True)):
                chunk = clip[start : start + window]
                audio[step, row, : len(chunk)], length[step, row] = chunk, len(chunk)
        label = [self._parts[draw.corpus].labels[draw.clips] for draw in drawn]
        numbers = None
        if self._numbers:
            numbers = np.stack([self._numbers[draw.corpus][draw.clips] for draw in drawn])
        return Batch(audio, length, np.stack(label), numbers)

    @staticmethod
    def batch(data: tuple, rows: Batch, window: int) -> Batch:
        """Return the rows, which already are the batch."""
        return rows


def fits(corpora: Mapping[str, Clips]) -> bool:
    """Return whether the clips fit into half of each device's free memory, and into the host's."""
    needed = _bytes(corpora)
    return has_room(needed, 1 / 2) and needed <= _STAGED * free_bytes()


def has_room(data_bytes: int, share: float) -> bool:
    """Return whether data fits into a share of each device's free memory; on CPUs the host's."""
    stats = [device.memory_stats() for device in jax.local_devices()]
    free = [own["bytes_limit"] - own["bytes_in_use"] for own in stats if own]
    return data_bytes <= share * min(free, default=free_bytes())


def _bytes(corpora: Mapping[str, Clips]) -> int:
    """Return the size of all recordings; a recording of several domains counts once."""
    parts = zip(corpora.values(), unshared(corpora), strict=True)
    samples = sum(int(part.lengths[rows].sum()) for part, rows in parts)
    return np.dtype(np.int16).itemsize * samples


def make_feed(
    corpora: Mapping[str, Clips], on_device: bool, put: Callable[[Any], Any]
) -> DeviceFeed | HostFeed:
    """Make a feed from the device, the host's memory or the disk.

    All feeds make the same batches of the same indices.
    """
    if on_device:
        return DeviceFeed(corpora, put)
    # Memory is several times faster than the disk.
    if _bytes(corpora) <= free_bytes() / 2:
        return HostFeed(all_in_memory(corpora))
    return HostFeed(corpora)


def prefetched(make: Callable[[int], Any], first: int = 0) -> grain.DatasetIterator:
    """Yield ``make(first)``, ``make(first + 1)``, and so on, each computed in advance.

    An error is raised when its item is requested. After ``close()`` no new item is started; the
    process waits for started ones before it ends.

    >>> squares = prefetched(lambda number: number**2, first=3)
    >>> next(squares), next(squares)
    (9, 16)
    >>> squares.close()
    """
    numbers = grain.MapDataset.range(first, sys.maxsize)
    return iter(numbers.map(make).to_iter_dataset(grain.ReadOptions(AHEAD, AHEAD)))
