"""The 3D-VAE-GAN, from a picture to a shape (the report, equations 2 to 6; Wu et al. 2016, section 3.3).

keras3dgan train_vae_gan --workdir=runs/vae_gan --preset=cpu --classes=chair
keras3dgan train_vae_gan --workdir=runs/textured --preset=cpu --views=usr/share/sweethome3d/furniture

Presets: `wu2016`, the paper's values, for GPUs; `cpu`, which reaches an IoU of 0.44 on ModelNet10's test chairs after
2,380 steps (docs/reconstruction.md); `test`, seconds.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from keras3dgan.runs import Run
from keras3dgan.training.adversarial_settings import CONVERGING, SmoothedSettings
from keras3dgan.training.options import Options, Samples
from keras3dgan.training.recipe import Part, Recipe
from keras3dgan.training.settings import knob

if TYPE_CHECKING:
    from keras3dgan.models.adversarial.voxel_vae_gan import VoxelVAEGAN
    from keras3dgan.models.reconstructor import Reconstructor

_SHOWN = 8


def _multiple_of_32(value: int) -> str | None:
    return f"must be a multiple of 32, got {value}." if value < 32 or value % 32 else None


def _none(value: str) -> str | None:
    return None if value == "none" else "pictures show shapes as they are; leave it at none."


@dataclasses.dataclass(frozen=True)
class VAEGANSettings(SmoothedSettings):
    """The 3D-VAE-GAN."""

    MODEL = (*SmoothedSettings.MODEL, "alpha1", "alpha2")

    augmentation: str = knob("none", "none: pictures show shapes as they are", check=_none)
    views: str = knob(
        "grids",
        "pictures: grids, the shapes' surfaces; or a folder of the furniture's .sh3f catalogues or of ShapeNetRendering",
    )
    picture_size: int = knob(256, "pixels along an edge of the pictures, a multiple of 32", check=_multiple_of_32)
    encoder_width: int = knob(512, "channels of the image encoder's fourth convolution", least=1)
    e_learning_rate: float = knob(0.0003, "image encoder's learning rate", above=0)
    alpha1: float = knob(5.0, "weight of the divergence of the latents", least=0)
    alpha2: float = knob(0.0001, "weight of the reconstruction", least=0)


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
        make_optimizer(settings.g_optimizer, settings.g_learning_rate, settings.beta_1),
        make_optimizer(settings.d_optimizer, settings.d_learning_rate, settings.beta_1),
        make_optimizer("adam", settings.e_learning_rate, settings.beta_1),
        xla=settings.xla,
    )
    return model


def train(settings: VAEGANSettings, run: Run, options: Options = Options()) -> dict[str, Any]:
    """Trains a 3D-VAE-GAN, and writes `models/picture_encoder.keras` and `models/generator.keras`.

    Those of the epoch with the best mean IoU on validation shapes are written, or the last ones if
    `settings.measure_every` is 0. Arguments, result and errors as `recipes.gan.train`; pictures must be there too.
    """
    from keras3dgan import data
    from keras3dgan.models.reconstructor import Reconstructor
    from keras3dgan.pictures.framing import on_white
    from keras3dgan.pictures.picture_set import load_views
    from keras3dgan.training import loop
    from keras3dgan.training.best_reconstructor import BestReconstructor
    from keras3dgan.training.callbacks import SamplePictures

    train_views, validation = (
        load_views(options.load(settings, split), settings.views, settings.picture_size, options.data_dir)
        for split in ("train", "validation")
    )
    run.start("vae_gan", settings, may_change=settings.may_change)
    if loop.is_finished(run, settings):
        return run.result() or {}
    with loop.prepared(settings):
        model = build(settings, train_views.shapes.occupied())
    best = BestReconstructor(run, validation, settings.measure_every, settings.patience)
    views, grids = best.pictures[:_SHOWN], best.grids[:_SHOWN]

    def samples(logs: dict[str, float]) -> Samples:
        restored = Reconstructor(model.encoder, model.best_generator).reconstruct(views)
        rows = {"view": on_white(views), "reconstruction": restored, "shape": grids}
        return Samples(rows, logs.get("val_threshold", 0.5))  # where this epoch has been measured

    pictures = SamplePictures(run, options, samples)
    measured = [best, pictures] if settings.measure_every else [pictures]
    exports = {} if settings.measure_every else {"picture_encoder": model.encoder, "generator": model.best_generator}
    draw = (train_views.shapes, train_views.views, settings.batch_size, settings.seed)
    return loop.fit(
        run,
        model,
        settings,
        train_views.shapes,
        None,
        exports,
        dataclasses.replace(options, callbacks=[*measured, *options.callbacks]),
        summary=lambda: {"best": best.result()} if settings.measure_every else {},
        make_batches=functools.partial(data.picture_batches, *draw),
    )


def load(run: Run) -> Reconstructor:
    """From pictures to shapes, by the trained encoder and generator."""
    from keras3dgan.models.reconstructor import Reconstructor
    from keras3dgan.training.model_files import load_models

    return Reconstructor(*load_models(run, "picture_encoder", "generator"))


def _parts(run: Run) -> list[Part]:
    found = load(run)
    return [
        Part("generator", "generator", found.generator, latent_stddev=run.settings["latent_stddev"]),
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
    settings=VAEGANSettings,
    presets=PRESETS,
    train=train,
    line=_line,
    facts=_facts,
    curves={
        "losses": ("g_loss", "d_loss"),
        "encoder": ("kl", "reconstruction"),
        "validation shapes": ("val_iou",),
        "samples": ("occupied", "diversity"),
    },
    parts=_parts,
    task="makes a shape of a picture",
    preset=load,
    reconstructor=load,
)
