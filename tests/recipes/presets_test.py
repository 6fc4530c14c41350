import pytest

from keras3dgan import recipes
from keras3dgan.errors import InputError


def _settings(kind, preset=None, **values):
    return recipes.recipe(kind).make_settings(preset, **values)


def test_the_reports_values():
    """Section 3.2.3 and 3.3.3 of the report."""
    gan = _settings("gan", "report")
    assert (gan.latent_size, gan.latent_stddev, gan.width, gan.init_stddev) == (200, 0.33, 256, 0.01)
    assert (gan.g_optimizer, gan.g_learning_rate, gan.beta_1) == ("adam", 0.0025, 0.5)
    assert (gan.d_optimizer, gan.d_learning_rate, gan.gate_accuracy) == ("sgd", 0.0001, 0.8)
    assert (gan.real_labels, gan.fake_labels, gan.batch_size) == ((0.7, 1.2), (0.0, 0.3), 100)
    compressor = _settings("compressor", "report")
    assert (compressor.learning_rate, compressor.beta_1, compressor.halve_every) == (0.001, 0.5, 30)
    assert (compressor.batch_size, compressor.network, compressor.distortion) == (100, "plain", "norm")
    assert gan.precision == compressor.precision == "float32"


@pytest.mark.parametrize("kind", recipes.kinds())
def test_every_preset_is_valid_and_values_override_it(kind):
    for name in recipes.recipe(kind).presets:
        assert _settings(kind, name, epochs=7).epochs == 7


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("gan", {"epochs": 0}),
        ("gan", {"resolution": 30}),
        ("gan", {"g_learning_rate": -1.0}),
        ("gan", {"d_optimizer": "rmsprop"}),
        ("voxnet", {"augmentation": "flp"}),
        ("voxnet", {"seed": -1}),
        ("gan", {"real_labels": (1.0, 0.5)}),
        ("gan", {"critic_steps": 3}),
        ("gan", {"d_normalization": "batch", "variant": "wgan_gp"}),
        ("vae_gan", {"augmentation": "flip"}),
        ("vae_gan", {"picture_size": 40}),
        ("compressor", {"halve_every": -1}),
        ("compressor", {"beta_1": 1.0}),
        ("compressor", {"decoder": "thawed"}),
        ("autoencoder", {"noise_steps": (0.0, 1.0)}),
        ("autoencoder", {"start": "pca"}),
        ("octree", {"width": 300}),
    ],
)
def test_bad_values_name_their_setting(kind, values):
    with pytest.raises(InputError) as caught:
        _settings(kind, None, **values)
    assert caught.value.setting == next(iter(values)) and str(caught.value).startswith(f"{next(iter(values))}: ")


def test_unknown_presets_and_variants():
    with pytest.raises(InputError, match="preset: 'none' is unknown"):
        _settings("gan", "none")
    with pytest.raises(InputError, match="variant: must be one of gan, wgan_gp, r3gan, latent"):
        _settings("gan", None, variant="dcgan")


def test_a_generator_starts_as_full_as_the_training_shapes_are():
    from keras3dgan.recipes import gan

    for preset, expected in (("report", 0.5), ("gan", 0.04), ("wgan_gp", 0.04)):
        model = gan.build(_settings("gan", preset, width=8, resolution=16), 0.04)
        assert model.generator.init_occupied == expected
