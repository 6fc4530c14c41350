"""Training of the 3D-GAN."""

from __future__ import annotations

from typing import Any

import keras

from keras3dgan.models.discriminator import Discriminator
from keras3dgan.models.generator import Generator
from keras3dgan.models.voxel_gan import VoxelGAN
from keras3dgan.training import loop
from keras3dgan.training.presets import GANSettings
from keras3dgan.training.run_directory import RunDirectory


def build_gan(settings: GANSettings) -> VoxelGAN:
    """The compiled 3D-GAN of these settings."""
    generator = Generator(settings.resolution, settings.latent_size, settings.width, settings.init_stddev)
    discriminator = Discriminator(settings.resolution, settings.width, settings.init_stddev, settings.first_batch_norm)
    gan = VoxelGAN(
        generator,
        discriminator,
        latent_stddev=settings.latent_stddev,
        real_labels=settings.real_labels,
        fake_labels=settings.fake_labels,
        gate_accuracy=settings.gate_accuracy,
        balance=settings.balance,
        seed=settings.seed,
    )
    gan.compile(
        _optimizer(settings.g_optimizer, settings.g_learning_rate, settings.beta_1),
        _optimizer(settings.d_optimizer, settings.d_learning_rate, settings.beta_1),
    )
    return gan


def train_gan(
    settings: GANSettings,
    run: RunDirectory,
    options: loop.Options = loop.Options(),
) -> dict[str, Any]:
    """Trains a 3D-GAN, or goes on training it, and writes `models/generator.keras` and `models/discriminator.keras`.

    Args:
        settings: every knob.
        run: where to write.
        options: data folders, checkpoints, callbacks.

    Returns:
        The content of `result.json`.

    Raises:
        InputError: the data cannot be read, or the run directory holds another run.
    """
    train = options.load(settings, "train")
    run.start("gan", settings)
    if loop.is_finished(run, settings):
        return run.result() or {}
    loop.make_deterministic(settings.seed)
    gan = build_gan(settings)
    exports = {"generator": gan.generator, "discriminator": gan.discriminator}
    return loop.fit(run, gan, settings, train, None, exports, options)


def _optimizer(name: str, learning_rate: float, beta_1: float) -> keras.optimizers.Optimizer:
    if name == "adam":
        return keras.optimizers.Adam(learning_rate, beta_1=beta_1)
    return keras.optimizers.SGD(learning_rate)
