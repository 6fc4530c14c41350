"""Training of the compressor and of the plain autoencoder."""

from __future__ import annotations

import functools
from typing import Any

import keras

from keras3dgan import backend
from keras3dgan.codec import neural
from keras3dgan.codec.fitting import fit_coders
from keras3dgan.errors import InputError
from keras3dgan.models.encoder import Encoder
from keras3dgan.models.fingerprint import fingerprint
from keras3dgan.models.generative_compressor import GenerativeCompressor
from keras3dgan.models.generator import Generator
from keras3dgan.models.voxel_autoencoder import VoxelAutoencoder
from keras3dgan.training import loop
from keras3dgan.training.presets import AutoencoderSettings, CompressorSettings
from keras3dgan.training.run_directory import RunDirectory


def build_autoencoder(settings: AutoencoderSettings) -> VoxelAutoencoder:
    """The plain autoencoder of these settings, not compiled."""
    sizes = (settings.resolution, settings.latent_size, settings.width, settings.init_stddev)
    return VoxelAutoencoder(Encoder(*sizes), Generator(*sizes, name="decoder"), **_rate(settings))


def build_compressor(
    settings: CompressorSettings, gan: RunDirectory | None, voxnet: RunDirectory
) -> GenerativeCompressor:
    """The compressor of these settings, not compiled.

    Args:
        settings: every knob.
        gan: the run whose generator becomes the decoder; None with `decoder` "scratch".
        voxnet: the run whose VoxNet gives the perceptual loss.

    Raises:
        InputError: a run is missing, or its model is of another size.
    """
    sizes = (settings.resolution, settings.latent_size, settings.width, settings.init_stddev)
    if settings.decoder == "scratch":
        decoder = Generator(*sizes, name="decoder")
    elif gan is None:
        raise InputError(f"--gan: give the run of a trained 3D-GAN, which --decoder={settings.decoder} starts from.")
    else:
        decoder = gan.load_model("generator")
        for name in ("resolution", "latent_size", "width"):
            if getattr(decoder, name) != getattr(settings, name):
                raise InputError(f"--{name}: is {getattr(decoder, name)} in {gan.path}, not {getattr(settings, name)}.")
    classifier = voxnet.load_model("voxnet")
    if classifier.resolution != settings.resolution:
        raise InputError(f"--voxnet: {voxnet.path} is for {classifier.resolution}^3, not {settings.resolution}^3.")
    weights = (settings.lambda1, settings.lambda2, settings.decoder != "frozen")
    return GenerativeCompressor(Encoder(*sizes), decoder, classifier, *weights, **_rate(settings))


def _rate(settings: AutoencoderSettings) -> dict[str, Any]:
    return {"lambda_rate": settings.lambda_rate, "noise_steps": settings.noise_steps, "seed": settings.seed}


def train_autoencoder(
    settings: AutoencoderSettings,
    run: RunDirectory,
    options: loop.Options = loop.Options(),
) -> dict[str, Any]:
    """Trains a plain autoencoder and writes `models/encoder.keras` and `models/decoder.keras`.

    Arguments, result and errors as `train_gan`; loss and IoU on the validation shapes are logged every epoch.
    """
    loop.prepare(settings)
    model = build_autoencoder(settings)
    return _train("autoencoder", model, settings, run, options)


def train_compressor(
    settings: CompressorSettings,
    run: RunDirectory,
    gan: RunDirectory | None,
    voxnet: RunDirectory,
    options: loop.Options = loop.Options(),
) -> dict[str, Any]:
    """Trains the generative compressor and writes `models/encoder.keras` and `models/decoder.keras`.

    Arguments, result and errors as `train_gan` and `build_compressor`; loss, its two terms and IoU on the validation
    shapes are logged every epoch.
    """
    loop.prepare(settings)
    model = build_compressor(settings, gan, voxnet)
    parts = {"gan": model.decoder, "voxnet": model.voxnet} if gan else {"voxnet": model.voxnet}
    return _train("compressor", model, settings, run, options, parts)


def _train(
    kind: str,
    model: VoxelAutoencoder,
    settings: AutoencoderSettings,
    run: RunDirectory,
    options: loop.Options,
    parts: dict[str, keras.Model] | None = None,
) -> dict[str, Any]:
    train, validation = options.load(settings, "train"), options.load(settings, "validation")
    # Only now that everything given has proved usable: a run that was started keeps its settings for ever.
    run.start(kind, settings, parts)
    if loop.is_finished(run, settings):
        return run.result() or {}
    rate: Any = settings.learning_rate
    if settings.halve_every:
        steps = settings.halve_every * loop.steps_per_epoch(train, settings.batch_size)
        rate = keras.optimizers.schedules.ExponentialDecay(rate, steps, 0.5, staircase=True)
    model.compile(keras.optimizers.Adam(rate, beta_1=settings.beta_1), jit_compile=backend.jit_compile(settings.xla))
    model.optimizer.build(model.trainable_variables)

    def summary() -> dict[str, Any]:
        # Called, not asked to `predict`: under a strategy every device would answer for the whole batch.
        coders = fit_coders(
            functools.partial(neural.analyse, functools.partial(model.encoder, training=False)),
            functools.partial(neural.synthesise, functools.partial(model.decoder, training=False)),
            train,
            validation,
            fingerprint(model.decoder),
            settings.latent_step,
        )
        run.save_coders(coders)
        return {"latent_step": coders[0].step}

    exports = {"encoder": model.encoder, "decoder": model.decoder}
    return loop.fit(run, model, settings, train, validation, exports, options, summary=summary)
