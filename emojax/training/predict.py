"""Probabilities and embeddings of whole utterances: averages over windows, in batches of a few shapes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import jax
import numpy as np

from emojax.data.batches import Batch, make_batch, padded_length, windows
from emojax.models.subtrees import Params
from emojax.training.steps import Forward


@dataclasses.dataclass(frozen=True)
class Network:
    """The parameters of one corpus's network: shared subtree, corpus's subtree, statistics, classes."""

    shared: Params
    corpus: Params
    stats: Params
    class_mask: jax.Array


def predict_clips(
    forward: Forward,
    network: Network,
    clips: Sequence[np.ndarray],
    window_samples: int,
    batch_size: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and embeddings of clips of any length.

    A clip longer than the window is cut into windows that cover it, and their answers are averaged.

    Args:
      forward: of :func:`emojax.training.steps.make_forward`.
      network: the parameters.
      clips: int16 or float32 arrays ``[n]`` at 16 kHz.
      window_samples: longest piece that the network sees at once.
      batch_size: most windows in one batch.

    Returns:
      f32 ``[N, K]`` and f32 ``[N, D]``.
    """
    pieces = [(owner, piece) for owner, clip in enumerate(clips) for piece in windows(clip, window_samples)]
    pieces.sort(key=lambda pair: len(pair[1]))
    batches = list(_groups([len(piece) for _, piece in pieces], batch_size))
    # All batches are dispatched before the first answer is read, so that the device never waits.
    outputs = [
        forward(
            network.shared,
            network.corpus,
            network.stats,
            network.class_mask,
            _batch([piece for _, piece in pieces[start:stop]], batch_size),
        )
        for start, stop in batches
    ]
    rows = [stop - start for start, stop in batches]
    owners = np.array([owner for owner, _ in pieces])
    logits = np.concatenate([output.logits[:n] for output, n in zip(outputs, rows, strict=True)])
    embeddings = np.concatenate([output.embedding[:n] for output, n in zip(outputs, rows, strict=True)])
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    return _mean_by(owners, probabilities, len(clips)), _mean_by(owners, embeddings, len(clips))


def _groups(lengths: Sequence[int], batch_size: int) -> Iterator[tuple[int, int]]:
    """Runs of at most ``batch_size`` pieces that are padded to the same length; ``lengths`` ascend."""
    start = 0
    for stop in range(1, len(lengths) + 1):
        full = stop - start == batch_size
        if stop == len(lengths) or full or padded_length(lengths[stop]) != padded_length(lengths[start]):
            yield start, stop
            start = stop


def _batch(pieces: Sequence[np.ndarray], batch_size: int) -> Batch:
    # Rows are a power of two, so that few shapes are ever compiled.
    rows = min(batch_size, 1 << (len(pieces) - 1).bit_length())
    return make_batch(pieces, np.zeros(len(pieces), np.int32), rows)


def _mean_by(owners: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    total = np.zeros((count, values.shape[1]), np.float64)
    np.add.at(total, owners, values)
    return (total / np.bincount(owners, minlength=count)[:, None]).astype(np.float32)
