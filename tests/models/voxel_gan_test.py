"""The 3D-GAN's training step."""

import keras
import numpy as np

from keras3dgan import models
from tests.conftest import boxes


def _gan(**kwargs):
    keras.utils.set_random_seed(1)
    gan = models.VoxelGAN(models.Generator(16, 10, 8, 0.02), models.Discriminator(16, 8, 0.02), **kwargs)
    gan.compile(keras.optimizers.Adam(0.0025, beta_1=0.5), keras.optimizers.Adam(0.0005, beta_1=0.5))
    return gan


def _step(gan, count=8):
    voxels = boxes(count).grids()[..., None].astype(np.float32)
    return gan.train_on_batch(voxels, return_dict=True)


def _values(variables):
    return [variable.numpy().copy() for variable in variables]


def _equal(before, after):
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_step_updates_both_networks_and_reports_everything():
    gan = _gan(gate_accuracy=2.0)
    g, d = _values(gan.generator.trainable_variables), _values(gan.discriminator.trainable_variables)
    logs = _step(gan)
    assert not _equal(g, _values(gan.generator.trainable_variables))
    assert not _equal(d, _values(gan.discriminator.trainable_variables))
    assert set(logs) == set(gan.trackers) and all(np.isfinite(value) for value in logs.values())
    assert logs["d_trained"] == logs["g_trained"] == 1 and logs["g_gradient_norm"] > 0 and logs["d_gradient_norm"] > 0


def test_a_gated_step_leaves_the_discriminator_and_its_optimizer_alone():
    gan = _gan(gate_accuracy=0.0, balance=0.0)  # every accuracy reaches it
    watched = gan.discriminator.trainable_variables + gan.d_optimizer.variables
    d, g = _values(watched), _values(gan.generator.trainable_variables)
    logs = _step(gan)
    assert logs["d_trained"] == 0 and logs["d_gradient_norm"] == 0
    assert _equal(d, _values(watched))
    assert not _equal(g, _values(gan.generator.trainable_variables))


def test_the_network_that_is_ahead_is_slowed_down():
    gan = _gan(balance=0.5)
    base_g, base_d = gan.g_base_rate, gan.d_base_rate
    gan.after_step({"g_loss": keras.ops.convert_to_tensor(4.0), "d_loss": keras.ops.convert_to_tensor(0.1)})
    g_mean, d_mean = 0.95 * 0.6931 + 0.05 * 4, 0.95 * 0.6931 + 0.05 * 0.1
    np.testing.assert_allclose(float(gan.g_optimizer.learning_rate), base_g, rtol=1e-5)
    np.testing.assert_allclose(float(gan.d_optimizer.learning_rate), base_d * (d_mean / g_mean) ** 0.5, rtol=1e-4)
    for _ in range(200):
        gan.after_step({"g_loss": keras.ops.convert_to_tensor(0.0), "d_loss": keras.ops.convert_to_tensor(9.0)})
    np.testing.assert_allclose(float(gan.g_optimizer.learning_rate), 0.1 * base_g, rtol=1e-5)
    np.testing.assert_allclose(float(gan.d_optimizer.learning_rate), base_d, rtol=1e-5)


def test_latents_and_labels_have_the_reports_distributions(monkeypatch):
    gan = _gan()
    latents = gan.sample_latents(5000).numpy()
    np.testing.assert_allclose([latents.mean(), latents.std()], [0, 0.33], atol=0.01)
    seen = []
    loss = keras.ops.convert_to_tensor(0.0)
    monkeypatch.setattr("keras3dgan.losses.discriminator_loss", lambda *labels: seen.extend(labels[2:]) or loss)
    voxels = np.zeros((1000, 16, 16, 16, 1), np.float32)
    gan.discriminator_loss(voxels, voxels)
    real, fake = (labels.numpy() for labels in seen)
    assert 0.7 <= real.min() < 0.71 and 1.19 < real.max() <= 1.2
    assert 0.0 <= fake.min() < 0.01 and 0.29 < fake.max() <= 0.3


def test_the_discriminator_sees_everything_through_noise():
    gan = _gan(noise_stddev=0.5)
    voxels = keras.ops.zeros((20, 16, 16, 16, 1))
    first, second = gan.perturb(voxels).numpy(), gan.perturb(voxels).numpy()
    np.testing.assert_allclose([first.std(), second.std(), (first - second).std()], [0.5, 0.5, 0.5 * 2**0.5], rtol=0.01)
    assert _gan().perturb(voxels) is voxels


def test_the_discriminator_may_see_centered_voxels():
    voxels = keras.ops.convert_to_tensor([[0.0, 0.25, 1.0]])
    np.testing.assert_allclose(_gan(centered=True).perturb(voxels), [[-1, -0.5, 1]])


def test_a_joint_batch_is_normalised_as_one():
    gan = _gan(joint_batch=True)
    real, fake = (
        keras.ops.convert_to_tensor(boxes(4, seed=seed).grids()[..., None].astype("float32")) for seed in (1, 2)
    )
    fake = 1 - fake
    joint = gan.discriminator(np.concatenate([real, fake]), training=True)
    for found, right in zip(gan._logits(real, fake), (joint[:4], joint[4:]), strict=True):
        np.testing.assert_allclose(found, right, rtol=1e-5)
    loss = gan.generator_loss(fake, real)
    np.testing.assert_allclose(loss, np.mean(np.log1p(np.exp(-joint[4:]))), rtol=1e-5)
    apart = _gan().generator_loss(fake, real)
    assert abs(float(loss) - float(apart)) > 1e-3 * float(loss), "of the fakes by themselves"


def test_labels_are_swapped_for_their_share_of_the_shapes():
    real, fake = (labels.numpy() for labels in _gan(swapped_labels=0.1)._labels(5000))
    assert 0.08 < np.mean(real < 0.5) < 0.12
    np.testing.assert_array_equal(real < 0.5, fake > 0.5)


def test_the_generator_may_aim_at_soft_labels():
    gan = _gan(generator_labels=(0.9, 0.9))
    fake = keras.ops.convert_to_tensor(boxes(4).grids()[..., None].astype("float32"))
    logits = gan.discriminator(fake, training=True).numpy()
    right = np.mean(-0.9 * np.log(1 / (1 + np.exp(-logits))) - 0.1 * np.log(1 / (1 + np.exp(logits))))
    np.testing.assert_allclose(gan.generator_loss(fake, fake), right, rtol=1e-5)


def test_the_average_generator_follows_by_the_rule():
    gan = _gan(average=0.9)
    start = _values(gan.generator.variables)
    _step(gan)
    after, averages = _values(gan.generator.variables), _values(gan.average_generator.variables)
    for a, b, average in zip(start, after, averages, strict=True):
        np.testing.assert_allclose(average, 0.9 * a + 0.1 * b, rtol=1e-5, atol=1e-7)
    assert gan.best_generator is gan.average_generator and _gan().best_generator is not None


def test_statistics_of_batch_normalisation_move():
    gan = _gan()
    before = _values(gan.generator.non_trainable_variables)
    _step(gan)
    assert not _equal(before, _values(gan.generator.non_trainable_variables))


def test_compile_survives_saving(tmp_path):
    gan = _gan()
    _step(gan)
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert again.g_optimizer.get_config() == gan.g_optimizer.get_config()
    assert _step(again).keys() == gan.trackers.keys()
