"""The loss and its class weights, against scikit-learn and optax."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from sklearn.utils.class_weight import compute_class_weight

from emojax.training.losses import (
    balanced_class_weights,
    concordance_loss,
    weighted_cross_entropy,
)


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


def test_concordance_loss_is_its_formula_and_so_is_its_gradient():
    with jax.enable_x64(True):
        random = np.random.default_rng(0)
        numbers, answers = random.normal(size=(2, 8, 2))
        padded = jnp.array(np.concatenate([answers, np.full((8, 1), -np.inf)], axis=1))
        mask, weight = jnp.array([True, True, False]), jnp.array([1.0] * 7 + [0.0])

        def by_hand(answers):
            t, p = numbers[:7], answers[:7]
            covariance = ((t - t.mean(0)) * (p - p.mean(0))).mean(0)
            ccc = 2 * covariance / (t.var(0) + p.var(0) + (t.mean(0) - p.mean(0)) ** 2)
            return 1 - ccc.mean()

        def loss(answers):
            return concordance_loss(padded.at[:, :2].set(answers), jnp.array(numbers), weight, mask)

        value, gradient = jax.value_and_grad(loss)(jnp.array(answers))
        assert value == pytest.approx(by_hand(answers), rel=1e-5)
        wanted = np.zeros_like(answers)
        for place in np.ndindex(*answers.shape):
            step = np.zeros_like(answers)
            step[place] = 1e-5
            wanted[place] = (by_hand(answers + step) - by_hand(answers - step)) / 2e-5
        np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-8)
        assert not wanted[7].any()


def test_concordance_loss_of_labels_is_finite_and_so_is_its_gradient():
    # It is computed for them too, in a run that has both, and must not spoil what counts.
    outputs = jnp.array([[1.0, 2.0, -jnp.inf, -jnp.inf]] * 3)
    mask = jnp.array([True, True, False, False])

    def loss(outputs):
        return concordance_loss(outputs, jnp.zeros((3, 3)), jnp.ones(3), mask)

    value, gradient = jax.value_and_grad(loss)(outputs)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
