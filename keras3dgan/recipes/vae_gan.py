"""The 3D-VAE-GAN, from a picture to a shape (the report, equations 2 to 6; Wu et al. 2016, section 3.3).

keras3dgan train_vae_gan --workdir=runs/vae_gan --preset=cpu --classes=chair
keras3dgan train_vae_gan --workdir=runs/latent --preset=latent --autoencoder=compressor_32 --dataset=modelnet10.npz
keras3dgan train_vae_gan --workdir=runs/textured --preset=cpu --views=usr/share/sweethome3d/furniture

Presets, with IoU on test chairs: `wu2016`, the paper's values, for GPUs; `cpu`, 0.44 with --epochs=340; `latent`, a picture
encoder on an autoencoder's latents, 0.50 with --augmentation=mirror,stretch --copies=16 --epochs=200; `test`, seconds.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from keras3dgan.errors import InputError
from keras3dgan.recipes import autoencoder as autoencoder_recipe
from keras3dgan.runs import Run
from keras3dgan.training.adversarial_settings import CONVERGING, SmoothedSettings
from keras3dgan.training.options import Options, Samples
from keras3dgan.training.recipe import Input, Part, Recipe
from keras3dgan.training.settings import MeasuredSettings, Settings, knob

if TYPE_CHECKING:
    import keras

    from keras3dgan.codec.latent.neural import NeuralCodec
    from keras3dgan.models.adversarial.voxel_vae_gan import VoxelVAEGAN
    from keras3dgan.models.picture_to_latents import PictureToLatents
    from keras3dgan.models.reconstructor import Reconstructor
    from keras3dgan.pictures.picture_set import PictureSet
    from keras3dgan.training.best_reconstructor import BestReconstructor

_SHOWN = 8
_VARIANT = "vae_gan, the report's; or latent, a picture encoder in front of an autoencoder's decoder"


def _multiple_of_32(value: int) -> str | None:
    return f"must be a multiple of 32, got {value}." if value < 32 or value % 32 else None


def _none(value: str) -> str | None:
    return None if value == "none" else "pictures show shapes as they are; leave it at none."


@dataclasses.dataclass(frozen=True)
class PictureSettings(Settings):
    """Pictures, and the network that looks at them."""

    # What tables call the model.
    TITLE: ClassVar[str] = "3D-VAE-GAN"

    views: str = knob(
        "grids",
        "pictures: grids, the shapes' surfaces; or a folder of the furniture's .sh3f catalogues or of ShapeNetRendering",
    )
    picture_size: int = knob(256, "pixels along an edge of the pictures, a multiple of 32", check=_multiple_of_32)
    encoder_width: int = knob(512, "channels of the image encoder's fourth convolution", least=1)
    e_learning_rate: float = knob(0.0003, "image encoder's learning rate", above=0)


@dataclasses.dataclass(frozen=True)
class VAEGANSettings(PictureSettings, SmoothedSettings):
    """The 3D-VAE-GAN."""

    MODEL = (*SmoothedSettings.MODEL, "alpha1", "alpha2")

    variant: str = knob("vae_gan", _VARIANT)
    augmentation: str = knob("none", "none: pictures show shapes as they are", check=_none)
    alpha1: float = knob(5.0, "weight of the divergence of the latents", least=0)
    alpha2: float = knob(0.0001, "weight of the reconstruction", least=0)


@dataclasses.dataclass(frozen=True)
class LatentSettings(PictureSettings, MeasuredSettings):
    """A picture encoder that learns an autoencoder's latents (Girdhar et al. 2016), with AdamW and a cosine."""

    TITLE = "Picture encoder, autoencoder's decoder"

    variant: str = knob("latent", _VARIANT)
    copies: int = knob(1, "latent: augmented copies of each shape that pictures are made of", least=1)
    weight_decay: float = knob(0.01, "latent: weight decay", least=0)
    warm_up: int = knob(200, "latent: steps in which the learning rate rises", least=0)
    average: float = knob(0.998, "share of the old value in a running mean of the weights; 0: none", least=0, below=1)

    @property
    def may_change(self) -> tuple[str, ...]:
        return ()  # the cosine ends with the last epoch


# With the paper's weights the divergence is all that counts: ||.||_2 of a grid is some 20, so its term is 0.002. No running mean:
# the encoder has none, and the two would not fit.
_VAE_GAN = {
    **CONVERGING,
    "average": 0.0,
    "init_stddev": 0.1,
    "picture_size": 64,
    "encoder_width": 256,
    "alpha1": 0.01,
    "alpha2": 10.0,
    "measure_every": 5,
}
PRESETS: dict[str, dict[str, Any]] = {
    "wu2016": {},
    "cpu": {**_VAE_GAN, "width": 64, "epochs": 100, "precision": "auto"},
    "latent": {
        "variant": "latent",
        "picture_size": 64,
        "encoder_width": 160,
        "batch_size": 64,
        "epochs": 300,
        "e_learning_rate": 0.001,
        "measure_every": 20,
    },
    "test": {
        **_VAE_GAN,
        "width": 8,
        "latent_size": 16,
        "epochs": 3,
        "batch_size": 16,
        "picture_size": 32,
        "encoder_width": 16,
        "measure_every": 1,
    },
}


def build(settings: VAEGANSettings, occupied: float = 0.5) -> VoxelVAEGAN:
    """The compiled model of these settings; `occupied` is the mean occupancy of the training shapes."""
    from keras3dgan import models
    from keras3dgan.training.optimizers import make_optimizer

    width, stddev = settings.width, settings.init_stddev
    model = models.VoxelVAEGAN(
        models.PictureEncoder(settings.picture_size, settings.latent_size, settings.encoder_width),
        models.Generator(settings.resolution, settings.latent_size, width, stddev, settings.init_occupied or occupied),
        models.Discriminator(settings.resolution, width, stddev, normalization=settings.d_normalization),
        **settings.for_model(),
    )
    model.compile(
        *settings.optimizers(),
        make_optimizer("adam", settings.e_learning_rate, settings.beta_1),
        xla=settings.xla,
    )
    return model


def train(
    settings: VAEGANSettings | LatentSettings, run: Run, options: Options = Options(), autoencoder: Run | None = None
) -> dict[str, Any]:
    """Trains a 3D-VAE-GAN, and writes `models/picture_encoder.keras` and `models/generator.keras`.

    Those of the epoch with the best mean IoU on validation shapes are written, or the last ones if
    `settings.measure_every` is 0.

    Args:
        settings: of `RECIPE.make_settings`.
        run: where to write.
        options: data folders, checkpoints, pictures.
        autoencoder: with variant `latent`, the run of `train_autoencoder` whose latents are learnt.

    Returns:
        The content of `result.json`.

    Raises:
        InputError: as `recipes.gan.train`; or pictures are missing.
    """
    from keras3dgan.training import loop
    from keras3dgan.training.best_reconstructor import BestReconstructor

    on_latents = isinstance(settings, LatentSettings)
    codec, parts = autoencoder_recipe.for_latents(autoencoder, settings.resolution, on_latents)
    train_views, validation = _views(settings, options)
    if finished := loop.start(run, "vae_gan", settings, parts):
        return finished
    with loop.prepared(settings):
        if isinstance(settings, LatentSettings):
            assert codec is not None
            model, batches = _latent(settings, codec, train_views, run)
        else:
            model, batches = _adversarial(settings, train_views)
    best = BestReconstructor(run, validation, settings.measure_every, settings.patience)
    callbacks = [*([best] if settings.measure_every else []), _pictures(run, options, model, best), *options.callbacks]
    exports = {} if settings.measure_every else {"picture_encoder": model.encoder, "generator": model.best_generator}
    return loop.fit(
        run,
        model,
        settings,
        train_views.shapes,
        None,
        exports,
        dataclasses.replace(options, callbacks=callbacks),
        summary=lambda: {"best": best.result()} if settings.measure_every else {},
        make_batches=batches,
    )


def _views(settings: VAEGANSettings | LatentSettings, options: Options) -> tuple[PictureSet, PictureSet]:
    """Training and validation shapes and their pictures."""
    from keras3dgan.augmentation import augmented, check_copies, parse
    from keras3dgan.pictures.picture_set import load_views
    from keras3dgan.pictures.sources import source_kind

    shapes, validation = (options.load(settings, split) for split in ("train", "validation"))
    if isinstance(settings, LatentSettings) and settings.augmentation != "none":
        hidden = set(parse(settings.augmentation)) - set(source_kind(settings.views).augmentations)
        if hidden:
            sentence = f"pictures of {settings.views} do not show '{min(hidden)}'; leave it out, or give none."
            raise InputError(sentence, "augmentation")
        shapes = augmented(shapes, settings.augmentation, settings.copies, settings.seed)
    elif isinstance(settings, LatentSettings):
        check_copies(settings.augmentation, settings.copies)
    source = (settings.views, settings.picture_size, options.data_dir)
    return load_views(shapes, *source), load_views(validation, *source)


def _adversarial(settings: VAEGANSettings, views: PictureSet) -> tuple[VoxelVAEGAN, Callable[[int], Any]]:
    """A new model, compiled, and its batches from a step on."""
    from keras3dgan import data

    draw = (views.shapes, views.views, settings.batch_size, settings.seed)
    return build(settings, views.shapes.occupied()), functools.partial(data.picture_batches, *draw)


def _latent(
    settings: LatentSettings, codec: NeuralCodec, views: PictureSet, run: Run
) -> tuple[PictureToLatents, Callable[[int], Any]]:
    """As `_adversarial`, of variant `latent`, whose latents the run keeps."""
    import numpy as np

    from keras3dgan import backend, data, models
    from keras3dgan.training import loop
    from keras3dgan.training.latent_space import latents_of
    from keras3dgan.training.optimizers import cosine, make_optimizer

    both = (False, True)
    latents = run.kept("latents", lambda: np.stack([latents_of(codec, views.shapes, mirrored) for mirrored in both]))
    encoder = models.PictureEncoder(settings.picture_size, latents.shape[-1], settings.encoder_width)
    encoder.start_at(latents[0].mean(axis=0))
    scale = float(latents.std(axis=1).mean())
    model = models.PictureToLatents(encoder, codec.decoder, scale)
    steps = settings.epochs * loop.steps_per_epoch(views.shapes, settings.batch_size)
    rate = cosine(settings.e_learning_rate, steps, settings.warm_up)
    optimizer = make_optimizer("adamw", rate, 0.9, settings.weight_decay, settings.average)
    model.compile(optimizer, jit_compile=backend.jit_compile(settings.xla))
    optimizer.build(model.trainable_variables)
    draw = (views.shapes, views.views, settings.batch_size, settings.seed)
    return model, functools.partial(data.picture_batches, *draw, latents=latents)


def _pictures(run: Run, options: Options, model: keras.Model, best: BestReconstructor) -> keras.callbacks.Callback:
    """Draws what the model makes of validation pictures."""
    from keras3dgan.models.reconstructor import Reconstructor
    from keras3dgan.pictures.framing import on_white
    from keras3dgan.training.averaging import averaged
    from keras3dgan.training.callbacks import SamplePictures

    views, grids = best.pictures[:_SHOWN], best.grids[:_SHOWN]

    def samples(logs: dict[str, float]) -> Samples:
        with averaged(model):
            restored = Reconstructor(model.encoder, model.best_generator).reconstruct(views)
        rows = {"view": on_white(views), "reconstruction": restored, "shape": grids}
        return Samples(rows, logs.get("val_threshold", 0.5))  # where this epoch has been measured

    return SamplePictures(run, options, samples)


def load(run: Run) -> Reconstructor:
    """From pictures to shapes, by the trained encoder and generator."""
    from keras3dgan.models.reconstructor import Reconstructor
    from keras3dgan.training.model_files import load_models

    return Reconstructor(*load_models(run, "picture_encoder", "generator"))


def _parts(run: Run) -> list[Part]:
    found = load(run)
    return [
        Part("generator", "generator", found.generator, latent_stddev=run.settings.get("latent_stddev")),
        Part("picture_encoder", "picture_encoder", found.picture_encoder),
    ]


def _line(result: dict[str, Any]) -> str:
    if "best" not in result:
        return "reconstruction was not measured"
    best = result["best"]
    return f"kept the models of epoch {best['epoch']}: IoU {best['val_iou']:.3f} (one view, validation shapes)"


def _facts(result: dict[str, Any]) -> list[str]:
    if "best" not in result:
        return []
    best = result["best"]
    return [f"Kept the models of epoch {best['epoch']}: IoU {best['val_iou']:.3f} from one view of validation shapes."]


RECIPE = Recipe(
    kind="vae_gan",
    title="3D-VAE-GAN",
    help="train a 3D-VAE-GAN, which makes a shape of a picture",
    settings={"vae_gan": VAEGANSettings, "latent": LatentSettings},
    presets=PRESETS,
    inputs={"autoencoder": Input("autoencoder", "latent: run of train_autoencoder, whose latents are learnt")},
    train=train,
    line=_line,
    facts=_facts,
    curves={
        "losses": ("loss", "g_loss", "d_loss"),
        "encoder": ("kl", "reconstruction"),
        "validation shapes": ("val_iou",),
        "samples": ("occupied", "diversity"),
    },
    parts=_parts,
    task="makes a shape of a picture",
    preset=load,
    reconstructor=load,
)
