"""The entropy model against values worked out by hand and against the coder, and training for rate."""

import math

import keras
import numpy as np
import pytest

from keras3dgan import models
from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.models.latent_prior import LatentPrior
from tests.conftest import boxes


def test_bits_are_those_of_the_logistic_distribution():
    prior = LatentPrior(2, scale=1.0)
    bits = prior(np.array([[0.0, 3.0]], np.float32), np.array([[2.0]], np.float32)).numpy()

    def cdf(x):
        return 1 / (1 + math.exp(-x))

    expected = -math.log2(cdf(1) - cdf(-1)) - math.log2(cdf(4) - cdf(2))
    assert bits.shape == (1,) and bits[0] == pytest.approx(expected, rel=1e-4)
    # Far out on either side the two ends differ by less than float32 holds near 1, and still count.
    far = prior(np.array([[12.0, -12.0]], np.float32), np.array([[0.1]], np.float32)).numpy()
    assert far[0] == pytest.approx(2 * -math.log2(0.1 * math.exp(-12)), rel=1e-2)


def test_fitted_it_tells_about_what_the_coder_takes():
    rng = np.random.default_rng(0)
    latents = rng.logistic(0.3, 0.5, (4000, 3)).astype(np.float32)
    prior = LatentPrior(3)
    prior.mean.assign([0.3] * 3)
    prior.log_scale.assign([math.log(0.5)] * 3)
    step = 0.25
    told = float(np.mean(prior(latents, np.full((len(latents), 1), step, np.float32))))
    coder = EntropyCoder.fit(latents, step, 32, b"x")
    taken = 8 * np.mean([len(payload) for payload in coder.encode(coder.quantize(latents[:1000]))])
    assert taken == pytest.approx(told, abs=5)  # streams end on whole bytes


def _model(lambda_rate):
    keras.utils.set_random_seed(1)
    networks = models.Encoder(16, 10, 16, 0.1), models.Generator(16, 10, 16, 0.1)
    model = models.VoxelAutoencoder(*networks, lambda_rate=lambda_rate)
    model.compile(keras.optimizers.Adam(0.005, beta_1=0.5))
    return model


def _trained(lambda_rate):
    model = _model(lambda_rate)
    voxels = boxes(32).grids()[..., None].astype(np.float32)
    history = model.fit(voxels, epochs=30, batch_size=16, verbose=0).history
    latents = model.encoder.predict(voxels, verbose=0)
    coder = EntropyCoder.fit(latents, 0.4, 16, b"x")
    size = np.mean([len(stream) for stream in coder.encode(coder.quantize(latents))])
    return model, history, size


def test_a_dearer_bit_makes_fewer_of_them():
    model, history, dear = _trained(0.3)
    _, cheap_history, cheap = _trained(0.001)
    assert dear < cheap and history["bits"][-1] < cheap_history["bits"][-1] and history["bits"][-1] < history["bits"][0]
    # The report's model has neither prior nor noise.
    plain, voxels = _model(0.0), boxes(8).grids()[..., None].astype(np.float32)
    assert plain.prior is None and "bits" not in plain.evaluate(voxels, verbose=0, return_dict=True)
    logs = model.evaluate(voxels, verbose=0, return_dict=True)
    assert 0 < logs["bits"] < 2 * history["bits"][0]
    config = model.get_config()
    assert config["lambda_rate"] == 0.3 and config["noise_steps"] == (0.1, 0.8)


def test_it_comes_back_from_its_file(tmp_path):
    model = models.VoxelAutoencoder(models.Encoder(16, 4, 8), models.Generator(16, 4, 8), lambda_rate=0.1)
    voxels = boxes(4).grids()[..., None].astype(np.float32)
    model.save(tmp_path / "a.keras")
    again = keras.saving.load_model(tmp_path / "a.keras", compile=False)
    np.testing.assert_array_equal(again(voxels, training=False), model(voxels, training=False))
    np.testing.assert_array_equal(again.prior.log_scale.numpy(), model.prior.log_scale.numpy())
