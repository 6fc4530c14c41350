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
from keras3dgan.models.linear_start import start_as_pca
from keras3dgan.models.residual_decoder import ResidualDecoder
from keras3dgan.models.residual_encoder import ResidualEncoder
from keras3dgan.models.voxel_autoencoder import VoxelAutoencoder
from keras3dgan.training import loop
from keras3dgan.training.presets import AutoencoderSettings, CompressorSettings
from keras3dgan.training.run_directory import RunDirectory


def build_autoencoder(settings: AutoencoderSettings) -> VoxelAutoencoder:
    """The plain autoencoder of these settings, not compiled."""
    encoder, decoder = _networks(settings)
    return VoxelAutoencoder(encoder, decoder, **_loss(settings))


def _networks(settings: AutoencoderSettings) -> tuple[keras.Model, keras.Model]:
    """A new encoder and decoder."""
    sizes = (settings.resolution, settings.latent_size, settings.width)
    if settings.network == "residual":
        return ResidualEncoder(*sizes, settings.residual_blocks), ResidualDecoder(*sizes, settings.residual_blocks)
    return Encoder(*sizes, settings.init_stddev), Generator(*sizes, settings.init_stddev, name="decoder")


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
    encoder, decoder = _networks(settings)
    if settings.decoder == "scratch":
        pass
    elif settings.network != "plain":
        raise InputError("--network: a decoder that starts as the 3D-GAN's generator is plain; use --decoder=scratch.")
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
    return GenerativeCompressor(encoder, decoder, classifier, *weights, **_loss(settings))


def _loss(settings: AutoencoderSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in ("lambda_rate", "noise_steps", "distortion", "seed")}


def _optimizer(settings: AutoencoderSettings, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    rate: Any = settings.learning_rate
    if settings.schedule == "cosine":
        steps = max(1, settings.epochs * steps_per_epoch - settings.warm_up)
        rate = keras.optimizers.schedules.CosineDecay(
            rate / 100, steps, warmup_target=rate, warmup_steps=settings.warm_up
        )
    elif settings.halve_every:
        rate = keras.optimizers.schedules.ExponentialDecay(
            rate, settings.halve_every * steps_per_epoch, 0.5, staircase=True
        )
    average = {"use_ema": True, "ema_momentum": settings.average} if settings.average else {}
    if settings.optimizer == "adam":
        return keras.optimizers.Adam(rate, beta_1=settings.beta_1, **average)
    return keras.optimizers.AdamW(rate, settings.weight_decay, beta_1=settings.beta_1, **average)


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
    if settings.start == "pca":
        start_as_pca(model.encoder, model.decoder, train, settings.seed)
    optimizer = _optimizer(settings, loop.steps_per_epoch(train, settings.batch_size))
    model.compile(optimizer, jit_compile=backend.jit_compile(settings.xla))
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
