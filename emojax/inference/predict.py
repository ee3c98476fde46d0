"""Prediction of utterances by averaging over windows, in batches of a few shapes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import jax
import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.data.batches import Batch, make_batch, split_clip
from emojax.inference.network import Forward, Network
from emojax.models.speech_network import Output

# Longest window of the network in evaluation (section 5.1).
WINDOW_SAMPLES = 5 * SAMPLE_RATE_HZ
BATCH_SIZE = 64
FULL_BATCHES = 4  # from so many on, padding a batch costs less than compiling its shape


@dataclasses.dataclass(frozen=True)
class Windows:
    """Clips that are cut into windows and batched for the network.

    Attributes:
      batches: batches of windows in ascending length.
      owners: int64 ``[W]``, index of each window's clip.
      clips: N, the number of clips.
    """

    batches: Iterable[Batch]
    owners: np.ndarray
    clips: int


def predict_clips(
    forward: Forward, network: Network, clips: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Predict clips of any length; the results of a clip's windows are averaged.

    Args:
      forward: the function from :func:`emojax.inference.network.make_forward`.
      network: parameters of the network.
      clips: int16 or float32 arrays ``[n]`` at 16 kHz.

    Returns:
      probabilities f32 ``[N, K]``, or numbers in their units f32 ``[N, numbers]``; and embeddings
      f32 ``[N, D]``.
    """
    windows = make_windows(clips)
    outputs = run_forward(forward, network, windows)
    if network.units is None:
        return aggregate(outputs, windows)
    numbers, embeddings = aggregate(outputs, windows, are_numbers=True)
    count = len(network.units.mean)
    return network.units.restored(numbers[:, :count]).astype(np.float32), embeddings


def make_windows(clips: Sequence[np.ndarray]) -> Windows:
    """Cut clips into windows of at most 5 s that cover them, and batch the windows lazily.

    >>> windows = make_windows([np.zeros(100_000, np.int16), np.zeros(16_000, np.int16)])
    >>> [batch.audio.shape for batch in windows.batches], windows.owners
    ([(4, 80000)], array([1, 0, 0]))
    """
    cut = [
        (owner, one) for owner, clip in enumerate(clips) for one in split_clip(clip, WINDOW_SAMPLES)
    ]
    cut.sort(key=lambda pair: len(pair[1]))
    groups = list(_groups(len(cut)))
    fewest_rows = BATCH_SIZE if len(groups) > FULL_BATCHES else 1
    batches = (
        make_batch(
            [one for _, one in cut[start:stop]],
            np.zeros(stop - start, np.int32),
            _rows(max(stop - start, fewest_rows)),
        )
        for start, stop in groups
    )
    return Windows(batches, np.array([owner for owner, _ in cut]), len(clips))


def run_forward(forward: Forward, network: Network, windows: Windows) -> list[Output]:
    """Return the network's output for each batch; the device may still be computing it."""
    parameters = network.shared, network.corpus, network.stats, network.class_mask
    return [forward(*parameters, batch) for batch in windows.batches]


def aggregate(
    outputs: Sequence[Output], windows: Windows, are_numbers: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Average the outputs of :func:`run_forward` over the windows of each clip.

    Args:
      outputs: output for each batch.
      windows: the windows of the clips.
      are_numbers: average the outputs as numbers; else their softmax.

    Returns:
      probabilities f32 ``[N, K]``, or scaled numbers, and embeddings f32 ``[N, D]``.
    """
    outputs = jax.device_get(outputs)
    rows = [stop - start for start, stop in _groups(len(windows.owners))]
    logits = np.concatenate([output.logits[:n] for output, n in zip(outputs, rows, strict=True)])
    embeddings = np.concatenate(
        [output.embedding[:n] for output, n in zip(outputs, rows, strict=True)]
    )
    means = functools.partial(_mean_by, windows.owners, count=windows.clips)
    if are_numbers:
        return means(logits), means(embeddings)
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    return means(probabilities), means(embeddings)


def _groups(count: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds of batches; the first one, of the shortest windows, may not be full."""
    starts = [0, *range(count % BATCH_SIZE or BATCH_SIZE, count, BATCH_SIZE)]
    return pairwise([*starts, count])


def _rows(count: int) -> int:
    """Return the rows of a batch, a power of four, so that few shapes are compiled."""
    return next(rows for rows in (1, 4, 16, BATCH_SIZE) if rows >= count)


def _mean_by(owners: np.ndarray, values: np.ndarray, *, count: int) -> np.ndarray:
    total = np.zeros((count, values.shape[1]), np.float64)
    np.add.at(total, owners, values)
    return (total / np.bincount(owners, minlength=count)[:, None]).astype(np.float32)
