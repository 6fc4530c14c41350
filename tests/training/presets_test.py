import pytest

from keras3dgan.errors import InputError
from keras3dgan.training import adversarial, presets


def test_the_reports_values():
    """Section 3.2.3 and 3.3.3 of the report."""
    gan = presets.settings(presets.GANSettings, "report", {})
    assert (gan.latent_size, gan.latent_stddev, gan.width, gan.init_stddev) == (200, 0.33, 256, 0.01)
    assert (gan.g_optimizer, gan.g_learning_rate, gan.beta_1) == ("adam", 0.0025, 0.5)
    assert (gan.d_optimizer, gan.d_learning_rate, gan.gate_accuracy) == ("sgd", 0.0001, 0.8)
    assert (gan.real_labels, gan.fake_labels, gan.batch_size) == ((0.7, 1.2), (0.0, 0.3), 100)
    compressor = presets.settings(presets.CompressorSettings, "report", {})
    assert (compressor.learning_rate, compressor.beta_1, compressor.halve_every) == (0.001, 0.5, 30)
    assert compressor.batch_size == 100


@pytest.mark.parametrize("kind", presets.PRESETS)
def test_every_preset_is_valid_and_flags_override_it(kind):
    for name in presets.PRESETS[kind]:
        assert presets.settings(kind, name, {"epochs": 7}).epochs == 7


@pytest.mark.parametrize(
    ("kind", "values", "flag"),
    [
        (presets.GANSettings, {"epochs": 0}, "--epochs"),
        (presets.GANSettings, {"resolution": 30}, "--resolution"),
        (presets.GANSettings, {"g_learning_rate": -1.0}, "--g_learning_rate"),
        (presets.GANSettings, {"d_optimizer": "rmsprop"}, "--d_optimizer"),
        (presets.VoxNetSettings, {"augmentation": "flp"}, "--augmentation"),
        (presets.VoxNetSettings, {"seed": -1}, "--seed"),
        (presets.GANSettings, {"real_labels": (1.0, 0.5)}, "--real_labels"),
        (presets.CompressorSettings, {"halve_every": -1}, "--halve_every"),
        (presets.CompressorSettings, {"beta_1": 1.0}, "--beta_1"),
        (presets.CompressorSettings, {"decoder": "thawed"}, "--decoder"),
    ],
)
def test_bad_values_name_their_flag(kind, values, flag):
    with pytest.raises(InputError, match=flag):
        presets.settings(kind, "report", values)
    with pytest.raises(InputError, match="--preset"):
        presets.settings(kind, "none", {})


def test_a_generator_starts_as_full_as_the_training_shapes_are():
    for preset, expected in (("report", 0.5), ("gan", 0.04), ("wgan_gp", 0.04)):
        gan = adversarial.build_gan(presets.settings(presets.GANSettings, preset, {"width": 8, "resolution": 16}), 0.04)
        assert gan.generator.init_occupied == expected
