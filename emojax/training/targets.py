"""Targets of a batch, labels or numbers, and the loss of the network's outputs."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from emojax.data.batches import Batch
from emojax.training.losses import concordance_loss, weighted_cross_entropy
from emojax.training.mixup import mix, mix_numbers
from emojax.training.train_state import Corpus


@dataclasses.dataclass(frozen=True)
class Targets:
    """Targets of a batch of B clips.

    Attributes:
      labels: pairs of labels i32 ``[B]`` and their share f32 ``[B]`` of each clip; None is 1.
      numbers: f32 ``[B, D]``; None in a run without numbers.
      length: i32 ``[B]``, samples of each clip; 0 marks a filler row.
    """

    labels: list[tuple[jax.Array, jax.Array | None]]
    numbers: jax.Array | None
    length: jax.Array | np.ndarray


def make_targets(
    inputs: tuple[Any, jax.Array], batch: Batch, key: jax.Array, mixup: float = 0.0
) -> tuple[tuple[Any, jax.Array], Targets]:
    """Return the network's inputs and the targets of a batch, with mixup if it is set.

    Args:
      inputs: standardised features of the clips, and the valid length of each.
      batch: the clips.
      key: random key of the step.
      mixup: ``alpha`` of :func:`emojax.training.mixup.mix`; 0 for none.
    """
    label = jnp.asarray(batch.label)
    numbers = None if batch.numbers is None else jnp.asarray(batch.numbers)
    if not mixup:
        return inputs, Targets([(label, None)], numbers, batch.length)
    # The step splits its key into keys 0 and 1, for dropout and augmentation.
    inputs, other, share = mix(*inputs, label, jax.random.fold_in(key, 2), mixup)
    numbers = None if numbers is None else mix_numbers(numbers, share)
    return inputs, Targets([(label, share), (other, 1 - share)], numbers, batch.length)


def loss_of(
    logits: jax.Array, targets: Targets, corpus: Corpus, label_smoothing: float = 0.0
) -> jax.Array:
    """Return the loss of a corpus's labels, or of its numbers; f32 scalar.

    A run with both computes both and selects one, so that one program serves all corpora. Their
    cost is negligible.
    """
    of_classes = corpus.class_weight, corpus.class_mask, label_smoothing
    of_labels = [
        weighted_cross_entropy(logits, label, *of_classes, share) for label, share in targets.labels
    ]
    loss = sum(of_labels[1:], of_labels[0])
    if corpus.numeric is None or targets.numbers is None:
        return loss
    weight = (jnp.asarray(targets.length) > 0).astype(logits.dtype)
    of_numbers = concordance_loss(logits, targets.numbers, weight, corpus.class_mask)
    return jnp.where(corpus.numeric, of_numbers, loss)
