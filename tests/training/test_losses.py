"""The loss and its class weights, against scikit-learn and optax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sklearn.utils.class_weight import compute_class_weight

from emojax.training.losses import balanced_class_weights, weighted_cross_entropy


@pytest.mark.parametrize("labels", [[0, 0, 0, 1], [0, 1, 2, 2, 2, 2]])
def test_class_weights_are_scikit_learns(labels):
    expected = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    np.testing.assert_allclose(
        balanced_class_weights(np.array(labels), 7)[: len(expected)], expected, rtol=1e-6
    )
    assert not balanced_class_weights(np.array(labels), 7)[len(expected) :].any()


def test_loss_is_the_weighted_mean_of_optax():
    logits, label = jnp.array([[1.0, 2.0, -jnp.inf], [0.5, -1.0, -jnp.inf]]), jnp.array([0, 1])
    plain = optax.softmax_cross_entropy_with_integer_labels(logits[:, :2], label)
    weight = jnp.array([2.0, 0.5, 0.0])
    np.testing.assert_allclose(
        weighted_cross_entropy(logits, label, weight, jnp.isfinite(logits[0])),
        (weight[label] * plain).mean(),
        rtol=1e-6,
    )


def test_a_smoothed_target_is_spread_over_the_corpuss_own_classes():
    logits, label = np.array([[1.0, 2.0, -np.inf], [0.5, -1.0, -np.inf]]), np.array([0, 1])
    weight, mask = np.array([2.0, 0.5, 0.0]), np.array([True, True, False])
    softmax = np.exp(logits[:, :2]) / np.exp(logits[:, :2]).sum(1, keepdims=True)
    target = 0.9 * np.eye(2)[label] + 0.1 / 2
    np.testing.assert_allclose(
        weighted_cross_entropy(jnp.array(logits), label, jnp.array(weight), mask, 0.1),
        (weight[label] * -(target * np.log(softmax)).sum(1)).mean(),
        rtol=1e-6,
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_padded_classes_have_no_gradient(smoothing):
    logits = jnp.array([[1.0, 2.0, -jnp.inf], [0.5, -1.0, -jnp.inf]])
    gradient = jax.grad(weighted_cross_entropy)(
        logits, jnp.array([0, 1]), jnp.array([2.0, 0.5, 0.0]), jnp.isfinite(logits[0]), smoothing
    )
    assert (np.abs(gradient[:, :2]) > 0).all()
    assert not gradient[:, 2].any()
