"""Probabilities and embeddings of whole utterances: averages over windows, in batches of a few shapes."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import jax
import numpy as np

from emojax.audio.reading import SAMPLE_RATE_HZ
from emojax.checkpoints import check_same, read_manifest, restore
from emojax.data.batches import Batch, make_batch, windows
from emojax.models.adapter_resnet import Output
from emojax.models.subtrees import Params
from emojax.training.run import FRONT_END, make_model, most_classes
from emojax.training.state import init_network
from emojax.training.steps import Forward, make_forward

# Longest piece that the network sees at once when it is evaluated (section 5.1).
WINDOW_SAMPLES = 5 * SAMPLE_RATE_HZ
BATCH_SIZE = 64
FULL_BATCHES = 4  # beside so many, to fill the rest up costs less than a program for it


@dataclasses.dataclass(frozen=True)
class Network:
    """The parameters of one corpus's network: shared subtree, corpus's subtree, statistics, classes."""

    shared: Params
    corpus: Params
    stats: Params
    class_mask: jax.Array


@dataclasses.dataclass(frozen=True)
class Pieces:
    """Clips, cut and put together for the network.

    Attributes:
      batches: of pieces that ascend in length.
      owners: int64 ``[P]``, the clip that each piece is of.
      clips: N, how many there are.
    """

    batches: Iterable[Batch]
    owners: np.ndarray
    clips: int


def load_networks(
    workdir: str | Path, corpora: Sequence[str] | None = None, state: str = "best"
) -> tuple[dict, Forward, dict[str, Network]]:
    """The networks of a run: its manifest, a jitted forward pass, and the parameters of each corpus.

    Args:
      workdir: of the run.
      corpora: those to load, all if not given; no other subtree is read.
      state: ``"best"`` by devel UAR, or ``"latest"``.

    Raises:
      ValueError: nothing is trained there, or a corpus is not in it; the message has the choices.
    """
    manifest = read_manifest(workdir, state)
    check_same({"front_end": manifest.get("front_end")}, {"front_end": FRONT_END}, workdir)
    names = list(manifest["corpora"]) if corpora is None else list(corpora)
    unknown = [name for name in names if name not in manifest["corpora"]]
    if unknown:
        raise ValueError(
            f"unknown corpus {', '.join(map(repr, unknown))}; "
            f"the model in {workdir} has {', '.join(manifest['corpora'])}"
        )
    config = manifest["config"]
    model = make_model(config, most_classes(manifest))
    shared, corpus, stats = jax.eval_shape(
        lambda: init_network(model, jax.random.key(0), config["shared_attention"])
    )
    class_mask = jax.ShapeDtypeStruct((model.classes,), bool)
    like_corpus = {"params": corpus, "stats": stats, "class_mask": class_mask}
    trees = restore(workdir, state, {"shared": {"params": shared}, **dict.fromkeys(names, like_corpus)})
    trees = jax.device_put(trees)  # orbax gives arrays of the host, which every call would send again
    networks = {
        name: Network(
            trees["shared"]["params"], trees[name]["params"], trees[name]["stats"], trees[name]["class_mask"]
        )
        for name in names
    }
    return manifest, make_forward(model), networks


def predict_clips(
    forward: Forward, network: Network, clips: Sequence[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and embeddings of clips of any length; those of a clip's windows are averaged.

    Args:
      forward: of :func:`emojax.training.steps.make_forward`.
      network: the parameters.
      clips: int16 or float32 arrays ``[n]`` at 16 kHz.

    Returns:
      f32 ``[N, K]`` and f32 ``[N, D]``.
    """
    pieces = cut(clips)
    return answers(ask(forward, network, pieces), pieces)


def cut(clips: Sequence[np.ndarray]) -> Pieces:
    """Clips as batches for the network, made when they are asked for.

    A clip longer than 5 s becomes windows that cover it.

    >>> pieces = cut([np.zeros(100_000, np.int16), np.zeros(16_000, np.int16)])
    >>> [batch.audio.shape for batch in pieces.batches], pieces.owners
    ([(4, 80000)], array([1, 0, 0]))
    """
    pieces = [(owner, piece) for owner, clip in enumerate(clips) for piece in windows(clip, WINDOW_SAMPLES)]
    pieces.sort(key=lambda pair: len(pair[1]))
    groups = list(_groups(len(pieces)))
    fewest_rows = BATCH_SIZE if len(groups) > FULL_BATCHES else 1
    batches = (
        make_batch(
            [piece for _, piece in pieces[start:stop]],
            np.zeros(stop - start, np.int32),
            _rows(max(stop - start, fewest_rows)),
        )
        for start, stop in groups
    )
    return Pieces(batches, np.array([owner for owner, _ in pieces]), len(clips))


def ask(forward: Forward, network: Network, pieces: Pieces) -> list[Output]:
    """The network's outputs, a batch each, which may still be under way on the device."""
    parameters = network.shared, network.corpus, network.stats, network.class_mask
    return [forward(*parameters, batch) for batch in pieces.batches]


def answers(outputs: Sequence[Output], pieces: Pieces) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and embeddings of clips, of what :func:`ask` gave; a clip's windows are averaged.

    Returns:
      f32 ``[N, K]`` and f32 ``[N, D]``.
    """
    outputs = jax.device_get(outputs)
    rows = [stop - start for start, stop in _groups(len(pieces.owners))]
    logits = np.concatenate([output.logits[:n] for output, n in zip(outputs, rows, strict=True)])
    embeddings = np.concatenate([output.embedding[:n] for output, n in zip(outputs, rows, strict=True)])
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    means = functools.partial(_mean_by, pieces.owners, count=pieces.clips)
    return means(probabilities), means(embeddings)


def _groups(count: int) -> Iterator[tuple[int, int]]:
    """Full batches, after what is left over: of pieces that ascend in length, the short ones."""
    starts = [0, *range(count % BATCH_SIZE or BATCH_SIZE, count, BATCH_SIZE)]
    return pairwise([*starts, count])


def _rows(count: int) -> int:
    """Rows of a batch, a power of four, so that few shapes are ever compiled."""
    return next(rows for rows in (1, 4, 16, BATCH_SIZE) if rows >= count)


def _mean_by(owners: np.ndarray, values: np.ndarray, *, count: int) -> np.ndarray:
    total = np.zeros((count, values.shape[1]), np.float64)
    np.add.at(total, owners, values)
    return (total / np.bincount(owners, minlength=count)[:, None]).astype(np.float32)
