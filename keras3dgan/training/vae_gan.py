"""Training of the 3D-VAE-GAN."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import keras
import numpy as np

from keras3dgan import data
from keras3dgan.errors import InputError
from keras3dgan.models.discriminator import Discriminator
from keras3dgan.models.generator import Generator
from keras3dgan.models.picture_encoder import PictureEncoder
from keras3dgan.models.voxel_vae_gan import VoxelVAEGAN
from keras3dgan.pictures.picture_set import PictureSet, load_views
from keras3dgan.pictures.reconstructor import Reconstructor
from keras3dgan.report.callbacks import ReconstructionPictures
from keras3dgan.training import adversarial, loop
from keras3dgan.training.best_models import BestModels
from keras3dgan.training.presets import VAEGANSettings
from keras3dgan.training.run_directory import RunDirectory
from keras3dgan.voxels.grid import best_threshold, iou

# Validation shapes that are measured on.
_MEASURED = 200


def build_vae_gan(settings: VAEGANSettings, occupied: float = 0.5) -> VoxelVAEGAN:
    """The compiled model of these settings; `occupied` is the mean occupancy of the training shapes."""
    width, stddev = settings.width, settings.init_stddev
    model = VoxelVAEGAN(
        PictureEncoder(settings.picture_size, settings.latent_size, settings.encoder_width),
        Generator(settings.resolution, settings.latent_size, width, stddev, settings.init_occupied or occupied),
        Discriminator(settings.resolution, width, stddev, normalization=settings.d_normalization),
        settings.alpha1,
        settings.alpha2,
        **{name: getattr(settings, name) for name in ("latent_stddev", "average", "seed", *adversarial.GAN_KNOBS)},
    )
    model.compile(
        adversarial.optimizer(settings.g_optimizer, settings.g_learning_rate, settings.beta_1),
        adversarial.optimizer(settings.d_optimizer, settings.d_learning_rate, settings.beta_1),
        keras.optimizers.Adam(settings.e_learning_rate, beta_1=settings.beta_1),
        xla=settings.xla,
    )
    return model


def train_vae_gan(
    settings: VAEGANSettings, run: RunDirectory, options: loop.Options = loop.Options(), samples_every: int = 0
) -> dict[str, Any]:
    """Trains a 3D-VAE-GAN, and writes `models/picture_encoder.keras` and `models/generator.keras`.

    Those of the epoch with the best mean IoU on validation shapes are written, or the last ones if
    `settings.measure_every` is 0.

    Args:
        settings: every knob.
        run: where to write.
        options: data folders, checkpoints, callbacks.
        samples_every: epochs between pictures of validation shapes and their reconstructions; 0: only after the last.

    Returns:
        The content of `result.json`.

    Raises:
        InputError: data or pictures cannot be read, or the run directory holds another run.
    """
    if settings.augmentation != "none":
        raise InputError("--augmentation: pictures show shapes as they are; leave it at none.")
    train, validation = (
        load_views(options.load(settings, split), settings.views, settings.picture_size, options.data_dir)
        for split in ("train", "validation")
    )
    run.start("vae_gan", settings)
    if loop.is_finished(run, settings):
        return run.result() or {}
    loop.prepare(settings)
    model = build_vae_gan(settings, train.shapes.occupied())
    metrics = ReconstructionMetrics(run, validation, settings.measure_every, settings.patience)
    pictures = ReconstructionPictures(run, samples_every, metrics.pictures, metrics.grids)
    measured = [metrics, pictures] if settings.measure_every else [pictures]
    exports = {} if settings.measure_every else {"picture_encoder": model.encoder, "generator": model.best_generator}
    return loop.fit(
        run,
        model,
        settings,
        train.shapes,
        None,
        exports,
        dataclasses.replace(options, callbacks=[*options.callbacks, *measured]),
        summary=lambda: {"best": metrics.result()} if settings.measure_every else {},
        make_batches=functools.partial(
            data.picture_batches, train.shapes, train.views, settings.batch_size, settings.seed
        ),
    )


class ReconstructionMetrics(BestModels):
    """Measures reconstructions of validation shapes, and keeps the encoder and generator with the best mean IoU.

    Logits of the generator that is kept are shifted so that an occupancy of 0.5 is the best threshold for these shapes: a
    network that is not sure of a thin leg gives it less, and would leave it out.

    Args:
        run: where to write.
        pictures: validation shapes, of which each is shown in one view.
        every, patience: see `BestModels`.
    """

    key = "val_iou"
    title = "IoU"
    higher_is_better = True

    def __init__(self, run: RunDirectory, pictures: PictureSet, every: int, patience: int = 0):
        super().__init__(run, every, patience)
        rng = np.random.default_rng(0)
        rows = np.sort(rng.permutation(len(pictures))[:_MEASURED])
        self.grids = pictures.shapes.grids(rows)
        self.pictures = pictures.views[rows, rng.integers(pictures.views.shape[1], size=len(rows))]

    def measure(self, epoch: int) -> dict[str, float]:
        restored = Reconstructor(self.model.encoder, self.model.best_generator).reconstruct(self.pictures)
        threshold = best_threshold(self.grids, restored)
        return {self.key: float(iou(self.grids, restored, threshold).mean()), "val_threshold": threshold}

    def models(self) -> dict[str, keras.Model]:
        threshold = self.best["val_threshold"]
        shift = -math.log(threshold / (1 - threshold))
        return {"picture_encoder": self.model.encoder, "generator": self.model.best_generator.shifted(shift)}

    def result(self) -> dict[str, float]:
        """The epoch of the models that were kept, their mean IoU, and the threshold that became 0.5."""
        return {name: self.best[name] for name in ("epoch", self.key, "val_threshold")}
