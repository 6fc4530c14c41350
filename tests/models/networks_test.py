"""What every network must do: shapes, exact serialisation, named layers, the report's sizes."""

import keras
import numpy as np
import pytest

from keras3dgan import models
from keras3dgan.models import block_convolutions as on_blocks


def _autoencoder(kind, *more):
    return kind(models.Encoder(16, 10, 8), models.Generator(16, 10, 8), *more)


_GRID = (3, 16, 16, 16, 1)
# Name: how to make it, shape of its input, shape of its output.
_NETWORKS = {
    "generator": (lambda: models.Generator(16, 10, 8), (3, 10), _GRID),
    "generator64": (lambda: models.Generator(64, 10, 16), (2, 10), (2, 64, 64, 64, 1)),
    "discriminator": (lambda: models.Discriminator(16, 8), _GRID, (3, 1)),
    "discriminator_plain": (lambda: models.Discriminator(16, 8, normalization="inner"), _GRID, (3, 1)),
    "encoder": (lambda: models.Encoder(16, 10, 8), _GRID, (3, 10)),
    "voxnet": (lambda: models.VoxNet(4, 16, 4), _GRID, (3, 4)),
    "wgan_gp": (
        lambda: models.VoxelWGANGP(
            models.Generator(16, 10, 8), models.Discriminator(16, 8, normalization="none"), average=0.9
        ),
        (3, 10),
        _GRID,
    ),
    "gan": (lambda: models.VoxelGAN(models.Generator(16, 10, 8), models.Discriminator(16, 8)), (3, 10), _GRID),
    "autoencoder": (lambda: _autoencoder(models.VoxelAutoencoder), _GRID, _GRID),
    "compressor": (lambda: _autoencoder(models.GenerativeCompressor, models.VoxNet(4, 16, 4), 2.0), _GRID, _GRID),
}


@pytest.mark.parametrize("name", _NETWORKS)
def test_shapes_and_exact_serialisation(name, tmp_path):
    make, input_shape, output_shape = _NETWORKS[name]
    model = make()
    inputs = np.random.default_rng(0).random(input_shape).astype(np.float32)
    outputs = keras.ops.convert_to_numpy(model(inputs, training=False))
    assert outputs.shape == output_shape and np.isfinite(outputs).all()
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model) and again.get_config() == model.get_config()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(inputs, training=False)), outputs)


def test_the_reports_sizes():
    generator, discriminator, encoder = models.Generator(), models.Discriminator(), models.Encoder()
    assert generator.input_shape == (None, 200) and generator.output_shape == (None, 32, 32, 32, 1)
    assert generator.get_layer("dense").units == 2048
    assert generator.get_layer("block").output.shape == (None, 2, 2, 2, 256)
    transposed = [layer for layer in generator.layers if isinstance(layer, keras.layers.Conv3DTranspose)]
    assert [layer.filters for layer in transposed] == [128, 64, 32, 1]
    assert all(layer.kernel_size == (4, 4, 4) and layer.strides == (2, 2, 2) for layer in transposed)
    for network in (discriminator, encoder):
        convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv3D)]
        assert [layer.filters for layer in convolutions] == [32, 64, 128, 256]
    assert sum(isinstance(layer, keras.layers.BatchNormalization) for layer in generator.layers) == 4
    assert 0.0095 < float(np.std(generator.get_layer("dense").kernel.numpy())) < 0.0105


def test_voxnet_is_voxnet():
    voxnet = models.VoxNet(5)
    assert voxnet.get_layer("conv1").kernel_size == (5, 5, 5) and voxnet.get_layer("conv2").kernel_size == (3, 3, 3)
    assert voxnet.get_layer("dense").units == 128
    assert voxnet.perceptual_features().output_shape == (None, 12, 12, 12, 32)


def test_a_deeper_voxnet_starts_as_voxnet_and_compares_its_last_block():
    plain, deeper = models.VoxNet(5, 16, 4), models.VoxNet(5, 16, 4, residual_blocks=2)
    assert sum(isinstance(layer, keras.layers.Conv3D) for layer in deeper.layers) == 6
    for layer in plain.layers:
        deeper.get_layer(layer.name).set_weights(layer.get_weights())
    grids = np.random.default_rng(0).random((3, 16, 16, 16, 1), dtype=np.float32)
    np.testing.assert_allclose(deeper(grids, training=False), plain(grids, training=False), rtol=1e-6)
    assert deeper.perceptual_features().output_shape == (None, 2, 2, 2, 4)
    assert deeper.copy().residual_blocks == 2


def test_wrong_resolutions_are_refused():
    for resolution in (0, 4, 30, 48):
        with pytest.raises(ValueError, match="power of two"):
            models.Generator(resolution)


@pytest.mark.parametrize("occupied", [0.5, 0.03])
def test_an_untrained_generator_is_as_full_as_asked(occupied):
    generator = models.Generator(16, 10, 8, 0.02, init_occupied=occupied)
    logits = generator(np.random.default_rng(0).normal(0, 0.33, (8, 10)).astype(np.float32))
    assert float(keras.ops.mean(keras.ops.sigmoid(logits))) == pytest.approx(occupied, rel=0.05)


@pytest.mark.parametrize("kind", [models.Generator, models.ResidualDecoder])
def test_a_shifted_generator_gives_logits_that_much_higher(kind):
    generator = kind(16, 10, 8)
    # As after a training: some layers start at zero, and hide what goes through them.
    generator.set_weights([np.random.default_rng(1).uniform(0, 0.05, w.shape) for w in generator.get_weights()])
    latents = np.random.default_rng(0).normal(size=(3, 10)).astype(np.float32)
    before = keras.ops.convert_to_numpy(generator(latents))
    shifted = generator.shifted(1.5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(shifted(latents)), before + 1.5, atol=1e-5)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(generator(latents)), before)


@pytest.mark.parametrize(
    ("size", "stride", "padding", "channels"), [(4, 2, "same", 1), (5, 2, "valid", 1), (4, 4, "same", 3)]
)
def test_a_convolution_on_blocks_is_keras_own(size, stride, padding, channels):
    voxels = np.random.default_rng(0).normal(size=(2, 16, 16, 16, channels)).astype(np.float32)
    settings = {"filters": 3, "kernel_size": size, "strides": stride, "padding": padding, "activation": "relu"}
    wanted = keras.layers.Conv3D(**settings, bias_initializer="normal")
    made = on_blocks.Conv3D(**settings)
    _assert_alike(wanted, made, voxels)


@pytest.mark.parametrize(("size", "stride", "filters"), [(4, 2, 1), (4, 4, 1), (6, 2, 2)])
def test_a_transposed_convolution_on_blocks_is_keras_own(size, stride, filters):
    features = np.random.default_rng(0).normal(size=(2, 4, 4, 4, 5)).astype(np.float32)
    settings = {"filters": filters, "kernel_size": size, "strides": stride, "padding": "same"}
    wanted = keras.layers.Conv3DTranspose(**settings, bias_initializer="normal")
    made = on_blocks.Conv3DTranspose(**settings)
    _assert_alike(wanted, made, features)


def _assert_alike(wanted, made, x):
    expected = keras.ops.convert_to_numpy(wanted(x))
    made.build(x.shape)
    made.set_weights(wanted.get_weights())
    np.testing.assert_allclose(keras.ops.convert_to_numpy(made(x)), expected, atol=1e-5)
    assert tuple(made.compute_output_shape(x.shape)) == expected.shape
