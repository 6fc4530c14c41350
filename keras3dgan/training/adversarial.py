"""Training of the 3D-GAN."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

from keras3dgan.models.adversarial import AdversarialModel
from keras3dgan.models.discriminator import Discriminator
from keras3dgan.models.generator import Generator
from keras3dgan.models.voxel_gan import VoxelGAN
from keras3dgan.models.voxel_r3gan import VoxelR3GAN
from keras3dgan.models.voxel_wgan_gp import VoxelWGANGP
from keras3dgan.training import generation, loop
from keras3dgan.training.presets import GANSettings
from keras3dgan.training.run_directory import RunDirectory

# The settings that only `VoxelGAN` has.
GAN_KNOBS = ("real_labels", "fake_labels", "gate_accuracy", "balance", "noise_stddev")
# The model of each variant, and the settings that only it has.
_VARIANTS: dict[str, tuple[type[AdversarialModel], tuple[str, ...]]] = {
    "gan": (VoxelGAN, GAN_KNOBS),
    "wgan_gp": (VoxelWGANGP, ("critic_steps", "penalty_weight")),
    "r3gan": (VoxelR3GAN, ("penalty_weight", "diff_augment")),
}


def build_gan(settings: GANSettings, occupied: float = 0.5) -> AdversarialModel:
    """The compiled adversarial model of these settings; `occupied` is the mean occupancy of the training shapes."""
    width, stddev = settings.width, settings.init_stddev
    generator = Generator(settings.resolution, settings.latent_size, width, stddev, settings.init_occupied or occupied)
    discriminator = Discriminator(settings.resolution, width, stddev, normalization=settings.d_normalization)
    model, own_knobs = _VARIANTS[settings.variant]
    knobs = {name: getattr(settings, name) for name in ("latent_stddev", "average", "seed", *own_knobs)}
    gan = model(generator, discriminator, **knobs)
    gan.compile(
        optimizer(settings.g_optimizer, settings.g_learning_rate, settings.beta_1),
        optimizer(settings.d_optimizer, settings.d_learning_rate, settings.beta_1),
        xla=settings.xla,
    )
    return gan


def train_gan(
    settings: GANSettings,
    run: RunDirectory,
    options: loop.Options = loop.Options(),
    voxnet: RunDirectory | None = None,
) -> dict[str, Any]:
    """Trains a 3D-GAN, or goes on training it, and writes `models/generator.keras` and `models/discriminator.keras`.

    The generator written is the best one by the metrics of generation on validation shapes, or the last one if
    `settings.measure_every` is 0.

    Args:
        settings: every knob.
        run: where to write.
        options: data folders, checkpoints, callbacks.
        voxnet: a run of `train_voxnet` whose features give the Frechet distance, which else is not measured.

    Returns:
        The content of `result.json`.

    Raises:
        InputError: the data cannot be read, or the run directory holds another run.
    """
    train = options.load(settings, "train")
    measure = None
    if settings.measure_every:
        classifier = voxnet.load_model("voxnet") if voxnet else None
        measure = generation.protocol(train, options.load(settings, "validation"), classifier)
    run.start("gan", settings)
    if loop.is_finished(run, settings):
        return run.result() or {}
    loop.prepare(settings)
    gan = build_gan(settings, train.occupied())
    exports = {"discriminator": gan.discriminator}
    if measure is None:
        return loop.fit(run, gan, settings, train, None, {**exports, "generator": gan.best_generator}, options)
    latents = generation.latents(measure.count, settings.latent_size, settings.latent_stddev, settings.seed)
    metrics = generation.GenerationMetrics(run, measure, latents, settings.measure_every, settings.patience)
    options = dataclasses.replace(options, callbacks=[*options.callbacks, metrics])
    return loop.fit(run, gan, settings, train, None, exports, options, summary=lambda: {"best": metrics.result()})


def optimizer(name: str, learning_rate: float, beta_1: float) -> keras.optimizers.Optimizer:
    """The optimizer of a name, `adam` or `sgd`."""
    if name == "adam":
        return keras.optimizers.Adam(learning_rate, beta_1=beta_1)
    return keras.optimizers.SGD(learning_rate)
