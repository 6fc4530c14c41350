"""The generative compressor (the report, section 3.3): the 3D-GAN's generator as decoder, VoxNet's perceptual loss.

keras3dgan train_compressor --workdir=runs/compressor --gan=runs/gan --voxnet=runs/voxnet --preset=cpu --classes=chair

Presets: `report`, its values (it names no lambdas); `cpu`, a quarter of the width: an IoU of 0.62 on ModelNet10's test
chairs after 1,680 steps in 39 minutes (docs/results.md); `test`, seconds.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from keras3dgan.errors import InputError
from keras3dgan.recipes import autoencoder
from keras3dgan.runs import Run
from keras3dgan.training.options import Options
from keras3dgan.training.recipe import Input, Recipe
from keras3dgan.training.settings import check_fits, knob

if TYPE_CHECKING:
    import keras

    from keras3dgan.models.generative_compressor import GenerativeCompressor


@dataclasses.dataclass(frozen=True)
class CompressorSettings(autoencoder.AutoencoderSettings):
    """The autoencoder's, and what makes it generative."""

    decoder: str = knob(
        "finetuned",
        "the GAN's generator frozen or finetuned, or a decoder from scratch",
        choices=("frozen", "finetuned", "scratch"),
    )
    lambda1: float = knob(1.0, "weight of the grid-level loss", least=0)
    lambda2: float = knob(1.0, "weight of the perceptual loss", least=0)


# At lambda2 = 1 the perceptual term is thrice the grid-level one; on validation furniture that costs 0.03 of IoU
# (docs/results.md; on chairs it makes no clear difference).
_QUICK = {"lambda2": 0.1}
PRESETS: dict[str, dict[str, Any]] = {
    "report": {},
    **{name: {**autoencoder.PRESETS[name], **_QUICK} for name in ("cpu", "test")},
}


def build(settings: CompressorSettings, gan: Run | None, voxnet: Run) -> GenerativeCompressor:
    """The compressor of these settings, not compiled.

    Args:
        settings: every knob.
        gan: the run whose generator becomes the decoder; None with `decoder` "scratch".
        voxnet: the run whose VoxNet gives the perceptual loss.

    Raises:
        InputError: a run is missing, or its model is of another size.
    """
    from keras3dgan import models
    from keras3dgan.training.model_files import load_model

    encoder, decoder = autoencoder.networks(settings)
    if settings.decoder != "scratch":
        decoder = _generator(settings, gan)
    classifier = load_model(voxnet, "voxnet")
    if classifier.resolution != settings.resolution:
        raise InputError(f"{voxnet.path} is for {classifier.resolution}^3, not {settings.resolution}^3.", "voxnet")
    weights = (settings.lambda1, settings.lambda2, settings.decoder != "frozen")
    return models.GenerativeCompressor(encoder, decoder, classifier, *weights, **autoencoder.loss_arguments(settings))


def _generator(settings: CompressorSettings, gan: Run | None) -> keras.Model:
    """The GAN's generator, which becomes the decoder."""
    from keras3dgan import models
    from keras3dgan.training.model_files import load_model

    if settings.network != "plain":
        raise InputError("a decoder that starts as the 3D-GAN's generator is plain; take decoder scratch.", "network")
    if gan is None:
        raise InputError(f"give the run of a trained 3D-GAN, which decoder {settings.decoder} starts from.", "gan")
    generator = load_model(gan, "generator")
    if not isinstance(generator, models.Generator):
        raise InputError(f"{gan.path} draws an autoencoder's latents; give a run of another variant.", "gan")
    check_fits({name: getattr(generator, name) for name in ("resolution", "latent_size", "width")}, settings, gan.path)
    return generator


def train(
    settings: CompressorSettings,
    run: Run,
    options: Options = Options(),
    gan: Run | None = None,
    voxnet: Run | None = None,
) -> dict[str, Any]:
    """Trains the generative compressor and writes `models/encoder.keras`, `models/decoder.keras` and the entropy tables.

    Arguments, result and errors as `recipes.autoencoder.train` and `build`; loss, its two terms and IoU on the validation
    shapes are logged every epoch.
    """
    from keras3dgan.models.fingerprint import fingerprint
    from keras3dgan.training import loop

    if voxnet is None:
        raise InputError("give the run of a trained VoxNet, which the perceptual loss needs.", "voxnet")
    if gan is not None and settings.decoder == "scratch":
        raise InputError("decoder scratch starts from none; leave it out.", "gan")
    with loop.prepared(settings):
        model = build(settings, gan, voxnet)
    parts = {"voxnet": fingerprint(model.voxnet).hex()}
    if gan:
        parts["gan"] = fingerprint(model.decoder).hex()
    return autoencoder.fit("compressor", model, settings, run, options, parts)


RECIPE = Recipe(
    kind="compressor",
    title="Generative compressor",
    help="train the generative compressor",
    settings=CompressorSettings,
    presets=PRESETS,
    inputs={
        "gan": Input("gan", "run of train_gan; not needed with decoder scratch"),
        "voxnet": Input("voxnet", "run of train_voxnet", required=True),
    },
    train=train,
    line=autoencoder.line,
    curves={
        "loss": ("loss", "val_loss"),
        "terms": ("grid_loss", "perceptual_loss"),
        "IoU": ("iou", "val_iou"),
    },
    codec=autoencoder.load,
    codec_name=lambda settings: (
        f"Generative compressor, {settings['decoder']} decoder, lambda2 {settings['lambda2']:g}"
    ),
    parts=autoencoder.parts,
    task="compresses shapes",
    preset=autoencoder.preset,
)
