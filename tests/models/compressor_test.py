"""Autoencoder and compressor: what is trained, what is frozen, what the loss is."""

import keras
import numpy as np
import pytest

from keras3dgan import losses, models
from tests.conftest import boxes


def _voxels(count=16):
    return boxes(count).grids()[..., None].astype(np.float32)


def _compressor(**kwargs):
    keras.utils.set_random_seed(1)
    networks = models.Encoder(16, 10, 8, 0.1), models.Generator(16, 10, 8, 0.1), models.VoxNet(2, 16, 4)
    model = models.GenerativeCompressor(*networks, **kwargs)
    model.compile(keras.optimizers.Adam(0.004, beta_1=0.5))
    return model


def test_the_loss_is_the_reports_equation():
    model = _compressor(lambda1=2.0, lambda2=0.5)
    x = _voxels(4)
    logits = model(x, training=False)
    y = keras.ops.sigmoid(logits)
    conv2 = model.voxnet.perceptual_features()
    expected = 2 * losses.mean_l2_distance(x, y) + 0.5 * losses.mean_l2_distance(conv2(x), conv2(y))
    np.testing.assert_allclose(float(model.reconstruction_loss(x, logits)), float(expected), rtol=1e-6)


@pytest.mark.parametrize("train_decoder", [True, False])
def test_what_moves_and_what_does_not(train_decoder):
    model = _compressor(train_decoder=train_decoder)
    parts = {"encoder": model.encoder, "decoder": model.decoder, "voxnet": model.voxnet}
    before = {name: [w.numpy().copy() for w in part.weights] for name, part in parts.items()}
    model.train_on_batch(_voxels())
    moved = {
        name: any(not np.array_equal(a, w.numpy()) for a, w in zip(before[name], part.weights, strict=True))
        for name, part in parts.items()
    }
    # A frozen decoder keeps its batch statistics too, hence all weights are compared.
    assert moved == {"encoder": True, "decoder": train_decoder, "voxnet": False}


def test_gradients_flow_through_the_frozen_parts():
    model = _compressor(train_decoder=False, lambda1=0.0)
    before = model.encoder.get_layer("latents").kernel.numpy().copy()
    model.train_on_batch(_voxels())
    assert not np.array_equal(before, model.encoder.get_layer("latents").kernel.numpy())


def test_an_autoencoder_learns_boxes():
    keras.utils.set_random_seed(1)
    model = models.VoxelAutoencoder(models.Encoder(16, 10, 16, 0.1), models.Generator(16, 10, 16, 0.1))
    model.compile(keras.optimizers.Adam(0.005, beta_1=0.5))
    history = model.fit(_voxels(32), epochs=150, batch_size=16, verbose=0).history
    assert history["iou"][-1] > 0.6 and history["loss"][-1] < history["loss"][0] / 2
    logs = model.evaluate(_voxels(32), verbose=0, return_dict=True)
    assert set(logs) == {"loss", "iou"} and logs["iou"] > 0.5
