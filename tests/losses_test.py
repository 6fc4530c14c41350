"""Losses against values worked out by hand."""

import math

import numpy as np
from keras import ops

from keras3dgan import losses


def test_sigmoid_cross_entropy():
    logits = np.array([[0.0], [2.0]], np.float32)
    # -t log s - (1-t) log(1-s): log 2 for logit 0 whatever the label; softplus(2) - 2 t for the other.
    expected = (math.log(2) + math.log1p(math.exp(2)) - 2 * 1.2) / 2
    labels = np.array([[0.7], [1.2]], np.float32)
    assert math.isclose(float(losses.sigmoid_cross_entropy(logits, labels)), expected, rel_tol=1e-6)


def test_adversarial_losses_of_a_blind_discriminator():
    zeros = np.zeros((4, 1), np.float32)
    assert math.isclose(
        float(losses.discriminator_loss(zeros, zeros, zeros + 0.9, zeros + 0.1)), math.log(2), rel_tol=1e-6
    )
    assert math.isclose(float(losses.non_saturating_generator_loss(zeros)), math.log(2), rel_tol=1e-6)


def test_generator_loss_does_not_saturate():
    """Where the discriminator is sure, -log D keeps a gradient of about -1; log(1 - D) would have none."""
    low, high = (float(losses.non_saturating_generator_loss(np.full((1, 1), x, np.float32))) for x in (-10.1, -9.9))
    assert math.isclose((high - low) / 0.2, -1, rel_tol=1e-2)


def test_mean_l2_distance_is_a_norm_per_shape():
    x = np.zeros((2, 2, 2, 2, 1), np.float32)
    y = x.copy()
    y[0] = 1  # norm sqrt 8
    y[1, 0, 0, 0] = 3  # norm 3
    assert math.isclose(float(losses.mean_l2_distance(x, y)), (math.sqrt(8) + 3) / 2, rel_tol=1e-6)
    assert np.isfinite(float(ops.sum(losses.mean_l2_distance(x, x))))


def test_the_divergence_of_normals_is_the_integral():
    mean, deviation, prior = 0.4, 0.2, 0.33
    x = np.linspace(-4, 4, 200_001)

    def density(m, s):
        return np.exp(-0.5 * ((x - m) / s) ** 2) / (s * np.sqrt(2 * np.pi))

    p, q = density(mean, deviation), density(0, prior)
    inside = p > 1e-300
    integral = np.trapezoid(np.where(inside, p * np.log(np.maximum(p, 1e-300) / np.maximum(q, 1e-300)), 0), x)
    found = losses.normal_divergence(np.full((3, 2), mean), np.full((3, 2), 2 * np.log(deviation)), prior)
    np.testing.assert_allclose(float(found), 2 * integral, rtol=1e-5)
    nothing = losses.normal_divergence(np.zeros((3, 2)), np.full((3, 2), 2 * np.log(prior)), prior)
    np.testing.assert_allclose(float(nothing), 0, atol=1e-6)
