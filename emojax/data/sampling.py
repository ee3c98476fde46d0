"""Which clips a step sees: a function of the seed and the step number, so a run can go on anywhere."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence

import numpy as np

from emojax.data.batches import Batch, crop, make_batch, stack
from emojax.data.prepared import Recordings
from emojax.data.turns import turns

PREFETCHED_BATCHES = 2


def drawn_clips(clips: int, batch_size: int, draw: int, seed: tuple[int, ...]) -> np.ndarray:
    """Indices of the ``draw``-th batch: one shuffled pass over the corpus after the other.

    Returns:
      int64 ``[batch_size]``; any ``clips`` successive indices from an epoch's start are all the clips.

    >>> sorted(int(i) for draw in (0, 1) for i in drawn_clips(4, 2, draw, (0,)))
    [0, 1, 2, 3]
    """
    positions = draw * batch_size + np.arange(batch_size)
    indices = np.empty(batch_size, np.int64)
    for epoch in range(positions[0] // clips, positions[-1] // clips + 1):
        order = np.random.default_rng((*seed, epoch)).permutation(clips)
        inside = positions // clips == epoch
        indices[inside] = order[positions[inside] % clips]
    return indices


def training_batch(
    recordings: Recordings, batch_size: int, window_samples: int, draw: int, seed: tuple[int, ...]
) -> Batch:
    """The ``draw``-th batch of a corpus, each longer clip cut to a random chunk."""
    indices = drawn_clips(len(recordings), batch_size, draw, (*seed, 0))
    random = np.random.default_rng((*seed, 1, draw))
    clips = [crop(recordings.samples[index], window_samples, random) for index in indices]
    return make_batch(clips, recordings.labels[indices])


def training_batches(
    corpora: Mapping[str, Recordings],
    batch_size: int,
    window_samples: int,
    seed: int,
    first_step: int,
    weights: np.ndarray | None = None,
) -> Iterator[tuple[str, Batch]]:
    """Batches for ever, from any step on: of each corpus in turn (section 6.1), or of corpora as drawn.

    Args:
      corpora: corpus → its training part.
      batch_size: clips in a batch.
      window_samples: longer clips give a random chunk of this length.
      seed: of the run.
      first_step: number of the first batch.
      weights: of :func:`emojax.data.turns.corpus_weights`.

    Yields:
      ``(corpus, batch)`` of the steps ``first_step``, ``first_step + 1``, ...
    """
    names = list(corpora)
    for corpus, turn in turns(len(names), weights, seed, first_step):
        name = names[corpus]
        yield name, training_batch(corpora[name], batch_size, window_samples, turn, (seed, corpus))


def group_batches(
    corpora: Sequence[Recordings],
    batch_size: int,
    window_samples: int,
    seeds: Sequence[tuple[int, ...]],
    first_draws: Sequence[int],
) -> Iterator[Batch]:
    """Batches of several corpora at once, for ever; each corpus has its own seed and its own count of draws.

    Yields:
      a batch with the corpora as its first axis, padded to one length.
    """
    for more in itertools.count():
        yield stack(
            [
                training_batch(recordings, batch_size, window_samples, first + more, seed)
                for recordings, seed, first in zip(corpora, seeds, first_draws, strict=True)
            ]
        )


def prefetched(items: Iterator, place: Callable) -> Generator:
    """Draw from ``items`` in a thread of its own, a few ahead, each through ``place`` (onto the device).

    An error in the thread is raised here; leaving the loop (or closing the generator) ends the thread.
    """
    ready: queue.Queue = queue.Queue(PREFETCHED_BATCHES)
    stopped = threading.Event()

    def put(item) -> bool:
        while not stopped.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put((place(item), None)):
                    return
            put((None, StopIteration()))
        except Exception as error:
            put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item
    finally:
        stopped.set()
