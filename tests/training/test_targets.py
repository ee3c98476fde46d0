import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.data.batches import Batch
from emojax.training.losses import concordance_loss, weighted_cross_entropy
from emojax.training.targets import loss_of, make_targets
from emojax.training.train_state import Corpus

LABELS, NUMBERS = np.array([0, 1, 1], np.int32), np.array([[0.5], [-1.0], [0.0]], np.float32)
LENGTH = np.array([3, 2, 0], np.int32)  # the last row is a filler
LOGITS = jnp.array([[1.0, 0.0], [0.5, 2.0], [0.0, 0.0]])
MASK = jnp.ones(2, bool)


@pytest.fixture
def batch():
    return Batch(np.zeros((3, 4), np.float32), LENGTH, LABELS, NUMBERS)


@pytest.fixture
def corpus():
    return Corpus({}, {}, (), MASK, jnp.array([1.0, 2.0]), numeric=jnp.array(False))


def unmixed(batch):
    return make_targets((jnp.zeros((3, 4)), LENGTH), batch, jax.random.key(0))[1]


def test_what_a_corpus_has_decides_which_loss_counts(batch, corpus):
    targets, weight = unmixed(batch), corpus.class_weight
    words = weighted_cross_entropy(LOGITS, jnp.asarray(LABELS), weight, MASK)
    assert loss_of(LOGITS, targets, corpus) == words
    of_numbers = dataclasses.replace(corpus, numeric=jnp.array(True), class_mask=MASK)
    wanted = concordance_loss(LOGITS, jnp.asarray(NUMBERS), jnp.array([1.0, 1.0, 0.0]), MASK)
    assert loss_of(LOGITS, targets, of_numbers) == wanted


def test_a_mixture_has_the_labels_of_both_clips_by_their_shares(batch, corpus):
    inputs = jnp.ones((3, 4)), jnp.asarray(LENGTH)
    (_, longer), targets = make_targets(inputs, batch, jax.random.key(0), mixup=0.5)
    (own, share), (other, rest) = targets.labels
    assert longer.tolist() == [3, 3, 2]
    assert other.tolist() == [1, 0, 1]
    assert own.tolist() == LABELS.tolist()
    np.testing.assert_allclose(share + rest, 1, rtol=1e-6)
    loss = jax.nn.log_softmax(LOGITS)[np.arange(3), [LABELS, [1, 0, 1]]]
    weighted = -loss * corpus.class_weight[np.array([LABELS, [1, 0, 1]])]
    wanted = jnp.mean(share * weighted[0] + rest * weighted[1])
    np.testing.assert_allclose(loss_of(LOGITS, targets, corpus), wanted, rtol=1e-6)
