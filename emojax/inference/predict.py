"""Probabilities and embeddings of whole utterances: averages over windows, in batches of a few shapes."""

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
from emojax.models.adapter_resnet import Output

# Longest window that the network sees at once when it is evaluated (section 5.1).
WINDOW_SAMPLES = 5 * SAMPLE_RATE_HZ
BATCH_SIZE = 64
FULL_BATCHES = 4  # beside so many, to fill the rest up costs less than a program for it


@dataclasses.dataclass(frozen=True)
class Windows:
    """Clips, cut into windows and batched for the network.

    Attributes:
      batches: of windows that ascend in length.
      owners: int64 ``[W]``, the clip that each window is of.
      clips: N, how many there are.
    """

    batches: Iterable[Batch]
    owners: np.ndarray
    clips: int


def predict_clips(
    forward: Forward, network: Network, clips: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and embeddings of clips of any length; those of a clip's windows are averaged.

    Args:
      forward: of :func:`emojax.inference.network.make_forward`.
      network: the parameters.
      clips: int16 or float32 arrays ``[n]`` at 16 kHz.

    Returns:
      f32 ``[N, K]`` and f32 ``[N, D]``.
    """
    windows = make_windows(clips)
    return aggregate(run_forward(forward, network, windows), windows)


def make_windows(clips: Sequence[np.ndarray]) -> Windows:
    """Clips as batches for the network, made when they are asked for.

    A clip longer than 5 s becomes windows that cover it.

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
    """The network's outputs, a batch each, which may still be under way on the device."""
    parameters = network.shared, network.corpus, network.stats, network.class_mask
    return [forward(*parameters, batch) for batch in windows.batches]


def aggregate(outputs: Sequence[Output], windows: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and embeddings of clips, of what :func:`run_forward` gave; a clip's windows are averaged.

    Returns:
      f32 ``[N, K]`` and f32 ``[N, D]``.
    """
    outputs = jax.device_get(outputs)
    rows = [stop - start for start, stop in _groups(len(windows.owners))]
    logits = np.concatenate([output.logits[:n] for output, n in zip(outputs, rows, strict=True)])
    embeddings = np.concatenate(
        [output.embedding[:n] for output, n in zip(outputs, rows, strict=True)]
    )
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    means = functools.partial(_mean_by, windows.owners, count=windows.clips)
    return means(probabilities), means(embeddings)


def _groups(count: int) -> Iterator[tuple[int, int]]:
    """Full batches, after what is left over: of windows that ascend in length, the short ones."""
    starts = [0, *range(count % BATCH_SIZE or BATCH_SIZE, count, BATCH_SIZE)]
    return pairwise([*starts, count])


def _rows(count: int) -> int:
    """Rows of a batch, a power of four, so that few shapes are ever compiled."""
    return next(rows for rows in (1, 4, 16, BATCH_SIZE) if rows >= count)


def _mean_by(owners: np.ndarray, values: np.ndarray, *, count: int) -> np.ndarray:
    total = np.zeros((count, values.shape[1]), np.float64)
    np.add.at(total, owners, values)
    return (total / np.bincount(owners, minlength=count)[:, None]).astype(np.float32)
