"""The 3D-VAE-GAN's training step."""

import keras
import numpy as np
import pytest

from keras3dgan import models
from tests.conftest import boxes


def _model(**kwargs):
    keras.utils.set_random_seed(1)
    parts = (models.PictureEncoder(32, 10, 16), models.Generator(16, 10, 8, 0.02), models.Discriminator(16, 8, 0.02))
    model = models.VoxelVAEGAN(*parts, **{"gate_accuracy": 2.0, "alpha1": 0.01, "alpha2": 1.0, **kwargs})
    rates = (0.0025, 0.0005, 0.001)
    model.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates))
    return model


def _batch(count=8):
    voxels = boxes(count).grids()[..., None].astype(np.float32)
    # From above: what is seen is where the boxes stand.
    pictures = np.kron(voxels.max(axis=3), np.ones((1, 2, 2, 3), np.float32))
    return pictures, voxels


def _values(variables):
    return [variable.numpy().copy() for variable in variables]


def _moved(before, after):
    return any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_step_updates_all_three_networks_and_logs_each_term():
    model = _model()
    parts = (model.encoder, model.generator, model.discriminator)
    before = [_values(part.trainable_variables) for part in parts]
    logs = model.train_on_batch(*_batch(), return_dict=True)
    assert all(_moved(old, _values(part.trainable_variables)) for old, part in zip(before, parts, strict=True))
    assert {"g_loss", "d_loss", "kl", "reconstruction", "e_gradient_norm"} <= set(logs) == set(model.trackers)
    assert all(np.isfinite(value) for value in logs.values()) and logs["kl"] > 0 and logs["reconstruction"] > 0


def test_each_weight_moves_what_it_is_the_weight_of():
    # Without both, the encoder has nothing to learn.
    idle = _model(alpha1=0.0, alpha2=0.0)
    before = _values(idle.encoder.trainable_variables)
    idle.train_on_batch(*_batch())
    assert not _moved(before, _values(idle.encoder.trainable_variables))
    # The divergence is the encoder's alone: the generator learns as if there were none.
    one, two = _model(alpha1=0.0, alpha2=0.0), _model(alpha1=5.0, alpha2=0.0)
    for model in (one, two):
        model.train_on_batch(*_batch())
    for a, b in zip(one.generator.trainable_variables, two.generator.trainable_variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)


def test_it_learns_to_tell_boxes_by_their_pictures():
    model = _model(alpha1=0.0001)
    pictures, voxels = _batch(16)
    first = model.train_on_batch(pictures, voxels, return_dict=True)["reconstruction"]
    for _ in range(150):
        model.reset_metrics()
        last = model.train_on_batch(pictures, voxels, return_dict=True)["reconstruction"]
    assert last < 0.6 * first


def test_it_comes_back_from_its_file(tmp_path):
    model = _model()
    model.train_on_batch(*_batch())
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras")
    pictures, _ = _batch(3)
    np.testing.assert_array_equal(model.reconstruct(pictures), again.reconstruct(pictures))
    assert (again.alpha1, again.alpha2) == (0.01, 1.0) and float(again.e_optimizer.learning_rate) == pytest.approx(
        0.001
    )


def test_the_papers_encoder():
    """Wu et al. 2016, appendix: five convolutions down to one place, 256^2 pictures, 200 latents."""
    encoder = models.PictureEncoder()
    shapes = [encoder.get_layer(f"conv{i}").output.shape[1:] for i in range(1, 6)]
    assert shapes == [(64, 64, 64), (32, 32, 128), (16, 16, 256), (8, 8, 512), (1, 1, 400)]
    assert [output.shape for output in encoder.outputs] == [(None, 200), (None, 200)]
    with pytest.raises(ValueError, match="multiple of 32"):
        models.PictureEncoder(100)
