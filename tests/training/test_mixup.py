"""A mixture has the sound, the length and the labels of both of its clips."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from emojax.training.losses import weighted_cross_entropy
from emojax.training.mixup import mix


def clips():
    """Standardised features of four clips of 5, 3, 2 and 4 frames, zero where padded."""
    random = np.random.default_rng(0)
    length = np.array([5, 3, 2, 4], np.int32)
    inside = np.arange(6) < length[:, None]
    return random.normal(size=(4, 6, 2)).astype(np.float32) * inside[..., None], length


@pytest.mark.parametrize("axes", [3, 2])  # log-mel, and samples
def test_a_mixture_is_a_share_of_two_clips_and_as_long_as_the_longer(axes):
    features, length = clips()
    features = features[(...,) + (0,) * (3 - axes)]
    label = jnp.array([0, 1, 2, 0])
    (mixed, longer), other, share = mix(features, length, label, jax.random.key(0), 0.4)
    assert longer.tolist() == [5, 5, 3, 4]
    assert other.tolist() == [0, 0, 1, 2]
    assert len(set(share.tolist())) == 4
    for row, before in enumerate((3, 0, 1, 2)):
        expected = share[row] * features[row] + (1 - share[row]) * features[before]
        np.testing.assert_allclose(mixed[row], expected, rtol=1e-6)
        assert not mixed[row, longer[row] :].any()


def test_shares_are_of_the_beta_distribution_of_the_setting():
    features, length = np.zeros((4_000, 1)), np.ones(4_000, np.int32)
    for alpha in (0.2, 1.0):
        *_, share = mix(features, length, length, jax.random.key(1), alpha)
        assert float(share.mean()) == pytest.approx(0.5, abs=0.03)
        assert float(share.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.06)


def test_the_loss_of_both_labels_is_that_of_a_target_between_them_with_both_weights():
    random = np.random.default_rng(0)
    logits = jnp.array(random.normal(size=(4, 4)), jnp.float32).at[:, 3].set(-jnp.inf)
    own, other = jnp.array([0, 1, 2, 2]), jnp.array([2, 0, 1, 2])
    share, weight = jnp.array([0.9, 0.5, 0.2, 1.0]), jnp.array([0.5, 1.0, 2.0, 0.0])
    of_classes = weight, jnp.arange(4) < 3, 0.1
    loss = weighted_cross_entropy(logits, own, *of_classes, share)
    loss += weighted_cross_entropy(logits, other, *of_classes, 1 - share)
    log_softmax = jax.nn.log_softmax(logits[:, :3])

    def target(label):
        return weight[label, None] * (0.9 * jnp.eye(3)[label] + 0.1 / 3)

    both = share[:, None] * target(own) + (1 - share)[:, None] * target(other)
    np.testing.assert_allclose(loss, -(both * log_softmax).sum(1).mean(), rtol=1e-5)
