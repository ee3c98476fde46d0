"""Decoding of sources in parallel: each recording is decoded once for all of its segments."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from datasets.recordings import Recording, look_at
from datasets.sources import Skipped, Source
from emojax.audio.reading import BadAudio
from emojax.corpora.segments import recording_of

_Item = Source | Skipped


def decode(
    listing: Sequence[_Item], recordings: list[Recording]
) -> Iterator[tuple[Source, np.ndarray] | Skipped]:
    """Decode the clips in the order of the listing, but keep segments of a recording together.

    Args:
      listing: the clips to decode.
      recordings: a list to which the recordings that were read are appended.

    Yields:
      A clip and its int16 samples ``[n]``, or a Skipped with the reason.
    """
    # Memory holds one decoded recording per thread, and one more that is being cut.
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[tuple[list[_Item], Future]] = deque()
        try:
            for items in _by_recording(listing):
                waiting.append((items, pool.submit(_read, items[0])))
                if len(waiting) > workers:
                    yield from _cut(*waiting.popleft(), recordings)
            while waiting:
                yield from _cut(*waiting.popleft(), recordings)
        finally:
            pool.shutdown(cancel_futures=True)


def _by_recording(listing: Sequence[_Item]) -> Iterable[list[_Item]]:
    """Group the items by recording, in the order of the first item of each."""
    groups: dict[Hashable, list[_Item]] = {}
    for number, item in enumerate(listing):
        key = recording_of(item.file) if isinstance(item, Source) else number
        groups.setdefault(key, []).append(item)
    return groups.values()


def _read(item: _Item) -> tuple[Recording | None, np.ndarray | BadAudio | None]:
    """Return the state of a recording, and its samples or the error."""
    if isinstance(item, Skipped):
        return None, None
    state = look_at(recording_of(item.file), item.audio) if isinstance(item.audio, Path) else None
    try:
        return state, item.recording()
    except BadAudio as bad:
        return state, bad


def _cut(
    items: list[_Item], future: Future, recordings: list[Recording]
) -> Iterator[tuple[Source, np.ndarray] | Skipped]:
    state, read = future.result()
    if state:
        recordings.append(state)
    for item in items:
        if isinstance(item, Skipped):
            yield item
            continue
        try:
            if isinstance(read, BadAudio):
                raise read
            yield item, item.cut(read)
        except BadAudio as bad:
            yield Skipped(item.file, str(bad))
