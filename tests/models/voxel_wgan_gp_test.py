"""WGAN-GP: its losses on known critics, and its training step."""

import keras
import numpy as np
import pytest

from keras3dgan import losses, models
from keras3dgan.backend import input_gradients
from tests.conftest import boxes


def _wgan(**kwargs):
    keras.utils.set_random_seed(1)
    critic = models.Discriminator(16, 8, 0.0, normalization="none")
    wgan = models.VoxelWGANGP(models.Generator(16, 10, 8, 0.02), critic, **kwargs)
    wgan.compile(keras.optimizers.Adam(0.001, beta_1=0.5), keras.optimizers.Adam(0.001, beta_1=0.5))
    return wgan


def _voxels(count=8):
    return boxes(count).grids()[..., None].astype(np.float32)


def test_penalty_of_a_critic_whose_gradient_is_known():
    """critic(x) = w . x has the gradient w everywhere: the penalty is (|w| - 1)^2 over all axes at once."""
    weights = np.random.default_rng(0).normal(0, 1, (4, 4, 4, 1)).astype(np.float32)
    voxels = keras.ops.convert_to_tensor(np.random.default_rng(1).random((3, 4, 4, 4, 1)).astype(np.float32))
    gradients = input_gradients(lambda x: keras.ops.sum(x * weights, axis=(1, 2, 3, 4)), voxels)
    expected = (np.sqrt((weights**2).sum()) - 1) ** 2
    np.testing.assert_allclose(float(losses.gradient_penalty(gradients)), expected, rtol=1e-5)


def test_penalty_of_a_quadratic_critic_depends_on_the_point():
    voxels = np.random.default_rng(1).random((3, 4, 4, 4, 1)).astype(np.float32)
    gradients = input_gradients(
        lambda x: 0.5 * keras.ops.sum(x**2, axis=(1, 2, 3, 4)), keras.ops.convert_to_tensor(voxels)
    )
    norms = np.sqrt((voxels**2).sum(axis=(1, 2, 3, 4)))
    np.testing.assert_allclose(float(losses.gradient_penalty(gradients)), ((norms - 1) ** 2).mean(), rtol=1e-5)


def test_penalty_has_a_finite_gradient_where_the_critic_is_flat():
    flat = keras.ops.zeros((2, 4, 4, 4, 1))
    slope = input_gradients(lambda x: losses.gradient_penalty(x)[None], flat)
    assert np.isfinite(keras.ops.convert_to_numpy(slope)).all()
    np.testing.assert_allclose(float(losses.gradient_penalty(flat)), 1.0, atol=1e-5)


def test_the_penalty_is_taken_uniformly_between_real_and_generated(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "keras3dgan.models.adversarial.voxel_wgan_gp.input_gradients",
        lambda function, x: seen.append(keras.ops.convert_to_numpy(x)) or x,
    )
    _wgan().discriminator_loss(keras.ops.ones((2000, 16, 16, 16, 1)), keras.ops.zeros((2000, 16, 16, 16, 1)))
    [between] = seen
    shares = between[:, 0, 0, 0, 0]
    assert (between == shares[:, None, None, None, None]).all()  # one share for all axes of a shape
    np.testing.assert_allclose([shares.min(), shares.mean(), shares.max()], [0, 0.5, 1], atol=0.03)
    np.testing.assert_allclose(shares.std(), 12**-0.5, atol=0.01)


@pytest.mark.parametrize(
    ("steps", "first", "expected"),
    [
        (3, 0, [False, False, True, False, False, True]),
        (1, 4, [False, False, False, False, True, True]),
        (2, 3, [False, False, False, True, False, True]),
    ],
)
def test_the_critic_moves_every_step_and_the_generator_when_it_may(steps, first, expected):
    wgan = _wgan(critic_steps=steps, critic_first=first)
    moved = []
    for _ in range(6):
        before = [v.numpy().copy() for v in (*wgan.generator.trainable_variables, *wgan.g_optimizer.variables)]
        critic = wgan.discriminator.trainable_variables[0].numpy().copy()
        wgan.reset_metrics()
        logs = wgan.train_on_batch(_voxels(), return_dict=True)
        after = [v.numpy() for v in (*wgan.generator.trainable_variables, *wgan.g_optimizer.variables)]
        same = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        assert not np.array_equal(critic, wgan.discriminator.trainable_variables[0].numpy())
        assert same == (logs["g_trained"] == 0)
        moved.append(not same)
    assert moved == expected


def test_the_distance_is_the_difference_of_the_mean_scores():
    real, fake = keras.ops.convert_to_tensor([[3.0], [5.0]]), keras.ops.convert_to_tensor([[1.0], [-2.0]])
    np.testing.assert_allclose(float(losses.wasserstein_critic_loss(real, fake)), -4.5)
    np.testing.assert_allclose(float(losses.wasserstein_generator_loss(fake)), 0.5)


def test_a_critic_with_batch_normalisation_is_refused():
    with pytest.raises(ValueError, match="without batch normalisation"):
        models.VoxelWGANGP(models.Generator(16, 10, 8), models.Discriminator(16, 8))
