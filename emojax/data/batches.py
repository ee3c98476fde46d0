"""Padded batches of a few fixed lengths, so that a few compiled programs serve all clips."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ

INT16_SCALE = 32_768.0
BUCKET_SAMPLES = SAMPLE_RATE_HZ * 5 // 4  # batches are padded to multiples of it


@jax.tree_util.register_dataclass
@dataclasses.dataclass(frozen=True)
class Batch:
    """Padded batch of one corpus.

    Attributes:
      audio: f32 ``[B, T]``, −1..1, or i16; 16 kHz, zeros after each clip's end.
      length: i32 ``[B]``, samples of each clip; 0 marks a filler row.
      label: i32 ``[B]``.
      numbers: f32 ``[B, D]``, scaled; 0 where a corpus has labels or fewer numbers. None in a run
        without numbers.
    """

    audio: jax.Array | np.ndarray
    length: jax.Array | np.ndarray
    label: jax.Array | np.ndarray
    numbers: jax.Array | np.ndarray | None = None


def padded_length(samples: int) -> int:
    """Return the length to which a clip of so many samples is padded.

    >>> padded_length(16_001)
    20000
    """
    return BUCKET_SAMPLES * max(1, math.ceil(samples / BUCKET_SAMPLES))


def make_batch(clips: Sequence[np.ndarray], labels: np.ndarray, rows: int | None = None) -> Batch:
    """Pad clips to a common length, and add filler rows; int16 if all clips are, else float32.

    Args:
      clips: int16 or float32 arrays ``[n]``.
      labels: i32 ``[len(clips)]``.
      rows: B, number of rows; the number of clips if not given.

    >>> make_batch([np.ones(100, np.int16)], np.zeros(1, np.int32), rows=2).length
    array([100,   0], dtype=int32)
    """
    rows = rows or len(clips)
    whole = all(clip.dtype == np.int16 for clip in clips)
    audio = np.zeros(
        (rows, padded_length(max(len(clip) for clip in clips))), np.int16 if whole else np.float32
    )
    length, label = np.zeros(rows, np.int32), np.zeros(rows, np.int32)
    for row, clip in enumerate(clips):
        scaled = clip / np.float32(INT16_SCALE) if clip.dtype == np.int16 and not whole else clip
        audio[row, : len(clip)] = scaled
        length[row] = len(clip)
    label[: len(clips)] = labels
    return Batch(audio, length, label)


def waveforms(batch: Batch) -> jax.Array:
    """Return the batch's audio as f32, −1..1.

    >>> waveforms(Batch(np.array([[16_384]], np.int16), np.ones(1), np.zeros(1))).tolist()
    [[0.5]]
    """
    audio = jnp.asarray(batch.audio)
    return audio / np.float32(INT16_SCALE) if audio.dtype == jnp.int16 else audio


def split_clip(clip: np.ndarray, window_samples: int) -> list[np.ndarray]:
    """Split a clip into windows that cover it; the last one ends at the clip's end.

    >>> [len(window) for window in split_clip(np.zeros(25), 10)]
    [10, 10, 10]
    """
    last = max(len(clip) - window_samples, 0)
    starts = [*range(0, last, window_samples), last]
    return [clip[start : start + window_samples] for start in starts]


def split_stream(blocks: Iterable[np.ndarray], window_samples: int) -> Iterator[np.ndarray]:
    """Yield the windows of :func:`split_clip` for a recording in blocks, without holding it whole.

    >>> [window.tolist() for window in split_stream([np.arange(3), np.arange(3, 5)], 2)]
    [[0, 1], [2, 3], [3, 4]]
    """
    before = held = np.zeros(0, np.int16)
    for block in blocks:
        held = np.concatenate([held, block])
        while len(held) > window_samples:
            before, held = held[:window_samples], held[window_samples:]
            yield before
    yield np.concatenate([before, held])[-window_samples:]


def centre(clip: np.ndarray, window_samples: int) -> np.ndarray:
    """Return the middle ``window_samples`` of a clip, or all of a shorter clip.

    >>> centre(np.arange(10), 4)
    array([3, 4, 5, 6])
    """
    start = max(len(clip) - window_samples, 0) // 2
    return clip[start : start + window_samples]
