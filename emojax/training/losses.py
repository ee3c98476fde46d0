"""Cross entropy with class weights, and the concordance loss."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from emojax.concordance import concordance

# Added to the denominator, for batches in which all numbers and answers are equal.
_FLOOR = 1e-6


def balanced_class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """Return a weight for each class, inverse to its frequency; the mean over the clips is 1.

    Like scikit-learn's ``class_weight="balanced"``; padded and empty classes have weight 0.

    Args:
      labels: int ``[N]``, of the training part.
      classes: K, with padded classes.

    Returns:
      float32 ``[K]``.

    >>> balanced_class_weights(np.array([0, 0, 0, 1]), 3).round(2)
    array([0.67, 2.  , 0.  ], dtype=float32)
    """
    counts = np.bincount(labels, minlength=classes)
    present = counts > 0
    weights = len(labels) / (present.sum() * np.maximum(counts, 1))
    return np.where(present, weights, 0).astype(np.float32)


def weighted_cross_entropy(
    logits: jax.Array,
    label: jax.Array,
    class_weight: jax.Array,
    class_mask: jax.Array,
    smoothing: float = 0.0,
    share: jax.Array | None = None,
) -> jax.Array:
    """Return the mean over the batch of w[y] · −log softmax(logits)[y] (section 4.3).

    Args:
      logits: f32 ``[B, K]``, −inf on padded classes.
      label: i32 ``[B]``.
      class_weight: f32 ``[K]``.
      class_mask: bool ``[K]``, the classes of this corpus.
      smoothing: this share of each target is spread evenly over the classes of the corpus.
      share: f32 ``[B]``, share of this label in each clip; 1 if not given.

    Returns:
      f32 scalar.

    >>> logits, label, weight = jnp.zeros((1, 2)), jnp.array([0]), jnp.array([2.0, 1.0])
    >>> float(weighted_cross_entropy(logits, label, weight, jnp.ones(2, bool)))
    1.38...
    """
    log_softmax = jax.nn.log_softmax(logits)
    negative = -jnp.take_along_axis(log_softmax, label[:, None], axis=1)[:, 0]
    if smoothing:
        spread = -jnp.mean(log_softmax, axis=1, where=class_mask)
        negative = (1 - smoothing) * negative + smoothing * spread
    loss = class_weight[label] * negative
    return jnp.mean(loss if share is None else share * loss)


def concordance_loss(
    outputs: jax.Array, numbers: jax.Array, weight: jax.Array, class_mask: jax.Array
) -> jax.Array:
    """Return 1 − the mean over the columns of their concordance in the batch.

    Trigeorgis et al. (2016), ICASSP, section 3.1, with Lin's coefficient over the whole batch.

    Args:
      outputs: f32 ``[B, K]``, −inf on padded outputs; the first D are the answers.
      numbers: f32 ``[B, D]``, the targets; 0 in columns that the corpus does not have.
      weight: f32 ``[B]``, 0 for filler rows.
      class_mask: bool ``[K]``, the outputs of this corpus.

    Returns:
      f32 scalar, always finite; 0 if all answers are right.

    >>> numbers = jnp.array([[-1.0], [1.0]])
    >>> loss = concordance_loss(numbers, numbers, jnp.ones(2), jnp.ones(1, bool))
    >>> abs(float(loss)) < 1e-6
    True
    """
    count = numbers.shape[1]
    mask = class_mask[:count]
    answers = jnp.where(mask, outputs[:, :count], 0.0)  # an infinite value has no gradient
    own = concordance(numbers, answers, weight[:, None], _FLOOR)
    return 1 - jnp.mean(own, where=mask)
