"""The 3D-GAN (the report, section 3.2; Wu et al. 2016), and what measuring made of it (docs/generation.md).

keras3dgan train_gan --workdir=runs/gan --preset=cpu --classes=chair

Presets, with scores on test chairs (real ones have 0.50): `report`, its values; `gan`, its losses made to converge (0.82);
`wgan_gp`, which is `best` (0.68 in minutes, 0.59 in hours); `r3gan`; `latent`, on the latents of --autoencoder (0.61);
`refined`, the --generator of such a run trained on (0.58); `64`, `wu2016_64`, at 64^3; `cpu`, `demo`, `test`, small.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras3dgan import augmentation
from keras3dgan.errors import InputError
from keras3dgan.recipes import autoencoder as autoencoder_recipe
from keras3dgan.runs import Run
from keras3dgan.training.adversarial_settings import CONVERGING, AdversarialSettings, VoxelSettings
from keras3dgan.training.gan_settings import GANSettings, LatentSettings, R3GANSettings, WGANGPSettings
from keras3dgan.training.options import Options, Samples
from keras3dgan.training.recipe import Input, Part, Recipe
from keras3dgan.training.settings import check_fits

if TYPE_CHECKING:
    import keras

    from keras3dgan.models.adversarial.adversarial_model import AdversarialModel
    from keras3dgan.training.latent_space import LatentSpace

_SHOWN = 8
_ROWS = ("samples", "more samples")

# Gulrajani et al. 2017, with one critic step and rates that get somewhere in a few hundred steps. It needs the start at the
# occupied fraction: else the critic's first lesson empties the volume, and a saturated sigmoid takes long to come back.
_WGAN_GP = {
    "variant": "wgan_gp",
    "init_stddev": 0.0,
    "init_occupied": 0.0,
    "d_optimizer": "adam",
    "d_learning_rate": 0.001,
    "beta_1": 0.0,
    "critic_steps": 1,
    "average": 0.98,
    "precision": "auto",
}
# Huang et al. 2024 with DiffAugment (Zhao et al. 2020).
_R3GAN = {
    **_WGAN_GP,
    "variant": "r3gan",
    "g_learning_rate": 0.0005,
    "d_learning_rate": 0.0005,
    "penalty_weight": 1.0,
    "diff_augment": "mirror,shift,cutout",
    "average": 0.995,
}
# The networks and rates of Huang et al. 2024 for small data, as perceptrons.
_LATENT = {
    **_WGAN_GP,
    "variant": "latent",
    "latent_size": 64,
    "latent_stddev": 1.0,
    "width": 512,
    "batch_size": 256,
    "epochs": 400,
    "augmentation": "mirror,shift",
    "g_learning_rate": 0.0002,
    "d_learning_rate": 0.0002,
    "penalty_weight": 1.0,
    "average": 0.998,
    "measure_every": 20,
    "precision": "float32",
}
# For --generator=RUN of `latent`: its mapping goes on against a critic of voxels, slowly, as it is good already.
_REFINED = {
    **_WGAN_GP,
    "latent_size": 64,
    "latent_stddev": 1.0,
    "width": 64,
    "batch_size": 64,
    "epochs": 100,
    "augmentation": "mirror",
    "g_learning_rate": 0.0001,
    "critic_first": 150,
    "average": 0.99,
    "measure_every": 5,
}
# Wu et al. 2016, section 3.1 and appendix, as the report took them over for its 64^3 model (section 4.1.1), which collapsed: no
# smoothing, one rate ratio of 250 to 1. Their 4x4x4 block of 512 channels is here reached from a dense 2x2x2 one.
_WU2016_64 = {
    "resolution": 64,
    "width": 512,
    "d_optimizer": "adam",
    "d_learning_rate": 0.00001,
    "real_labels": (1.0, 1.0),
    "fake_labels": (0.0, 0.0),
    "balance": 0.0,
    "precision": "auto",
}
_GAN = {**CONVERGING, "precision": "auto"}
PRESETS = {
    "report": {},
    "best": _WGAN_GP,
    "gan": _GAN,
    "wgan_gp": _WGAN_GP,
    "r3gan": _R3GAN,
    "latent": _LATENT,
    "refined": _REFINED,
    "64": {**_WGAN_GP, "resolution": 64, "batch_size": 50},
    "wu2016_64": _WU2016_64,
    "cpu": {**_WGAN_GP, "width": 64, "epochs": 500},
    "demo": {**_LATENT, "width": 256, "epochs": 60, "copies": 5, "average": 0.99},
    "test": {**CONVERGING, "width": 8, "latent_size": 16, "epochs": 3, "batch_size": 16},
}


def build(
    settings: AdversarialSettings,
    occupied: float = 0.5,
    latents: LatentSpace | None = None,
    generator: keras.Model | None = None,
) -> AdversarialModel:
    """The compiled adversarial model of these settings.

    Args:
        settings: every knob.
        occupied: mean occupancy of the training shapes.
        latents: what variant `latent` learns.
        generator: where another starts; a decoder in it stays as it is.
    """
    from keras3dgan import models

    width = settings.width
    more: dict[str, Any] = {}
    networks: tuple[keras.Model, keras.Model]
    if isinstance(settings, LatentSettings):
        assert latents is not None
        mapping = models.LatentMapping(settings.latent_size, latents.latent_size, width, settings.depth)
        networks = mapping, models.LatentCritic(latents.latent_size, width, settings.depth)
        more["finish"] = latents.generator
    else:
        assert isinstance(settings, VoxelSettings)
        stddev = settings.init_stddev
        if generator is None:
            sizes = (settings.resolution, settings.latent_size, width)
            generator = models.Generator(*sizes, stddev, settings.init_occupied or occupied)
        else:
            generator = generator.copy("generator")  # in the precision of this training
        if isinstance(generator, models.LatentGenerator):
            generator.decoder.trainable = False
        networks = (
            generator,
            models.Discriminator(settings.resolution, width, stddev, normalization=settings.d_normalization),
        )
    kinds = {
        GANSettings: models.VoxelGAN,
        WGANGPSettings: models.VoxelWGANGP,
        R3GANSettings: models.VoxelR3GAN,
        LatentSettings: models.LatentR3GAN,
    }
    gan = kinds[type(settings)](*networks, **settings.for_model(), **more)
    gan.compile(*settings.optimizers(), xla=settings.xla)
    return gan


def _start(run: Run | None, settings: AdversarialSettings) -> tuple[keras.Model | None, dict[str, str]]:
    """The generator of a run that this training goes on with, and its fingerprint.

    Raises:
        InputError: it is missing, the variant takes none, or it is for other latents or another resolution.
    """
    from keras3dgan.models.fingerprint import fingerprint

    if not isinstance(settings, WGANGPSettings):
        if run is not None:
            raise InputError("only variant wgan_gp takes one; leave it out.", "generator")
        return None, {}
    if run is None:
        if settings.critic_first:
            raise InputError("give the run of train_gan whose generator goes on, or --critic_first=0.", "generator")
        return None, {}
    generator = load(run)
    sizes = {name: getattr(generator, name) for name in ("resolution", "latent_size")}
    check_fits({**sizes, "latent_stddev": run.settings["latent_stddev"]}, settings, run.path)
    return generator, {"generator": fingerprint(generator).hex()}


def train(
    settings: AdversarialSettings,
    run: Run,
    options: Options = Options(),
    voxnet: Run | None = None,
    autoencoder: Run | None = None,
    generator: Run | None = None,
) -> dict[str, Any]:
    """Trains a 3D-GAN, or goes on training it, and writes `models/generator.keras` and `models/discriminator.keras`.

    The generator written is the best one by the metrics of generation on validation shapes, or the last one if
    `settings.measure_every` is 0.

    Args:
        settings: of `RECIPE.make_settings`.
        run: where to write.
        options: data folders, checkpoints, pictures.
        voxnet: a run of `train_voxnet` whose features give the Frechet distance, which else is not measured.
        autoencoder: with variant `latent`, the run of `train_autoencoder` whose latents are learnt.
        generator: with variant `wgan_gp`, a run of `train_gan` whose generator is where this one starts.

    Returns:
        The content of `result.json`.

    Raises:
        InputError: the data cannot be read, the run directory holds another run, or an autoencoder or a generator is missing, too
            many or of another size.
    """
    from keras3dgan.training import best_generator, loop
    from keras3dgan.training.callbacks import SamplePictures
    from keras3dgan.training.latent_space import LatentSpace
    from keras3dgan.training.model_files import load_model

    if isinstance(settings, LatentSettings):
        augmentation.check_copies(settings.augmentation, settings.copies)
    train_shapes = options.load(settings, "train")
    protocol = None
    if settings.measure_every:
        classifier = load_model(voxnet, "voxnet") if voxnet else None
        protocol = best_generator.protocol(train_shapes, options.load(settings, "validation"), classifier)
    on_latents = isinstance(settings, LatentSettings)
    codec, parts = autoencoder_recipe.for_latents(autoencoder, settings.resolution, on_latents)
    start, more_parts = _start(generator, settings)
    if finished := loop.start(run, "gan", settings, {**parts, **more_parts}):
        return finished
    space = None
    if isinstance(settings, LatentSettings) and codec is not None:
        space = LatentSpace.of(codec, train_shapes, settings.augmentation, settings.copies, settings.seed, run)
    with loop.prepared(settings):
        gan = build(settings, train_shapes.occupied(), space, start)
    draws = (settings.latent_size, settings.latent_stddev, settings.seed)

    def samples(logs: dict[str, float]) -> Samples:
        made = best_generator.occupancy(gan.best_generator, best_generator.latents(_SHOWN * len(_ROWS), *draws))
        return Samples({title: made[i * _SHOWN : (i + 1) * _SHOWN] for i, title in enumerate(_ROWS)})

    learnt, batches = train_shapes, None
    if space is not None:
        learnt, batches = space.shapes(train_shapes), space.batches(settings.batch_size, settings.seed)
    exports = {"discriminator": gan.discriminator}
    callbacks: list[Any] = [SamplePictures(run, options, samples), *options.callbacks]
    best = None
    if protocol is None:
        exports["generator"] = gan.best_generator
    else:
        noise = best_generator.latents(protocol.count, *draws)
        best = best_generator.BestGenerator(run, protocol, noise, settings.measure_every, settings.patience)
        callbacks.insert(0, best)
    options = dataclasses.replace(options, callbacks=callbacks)
    return loop.fit(
        *(run, gan, settings, learnt, None, exports, options),
        summary=lambda: {"best": best.result()} if best else {},
        make_batches=batches,
    )


def load(run: Run) -> keras.Model:
    """The trained generator, latents (batch, k) to logits (batch, n, n, n, 1)."""
    from keras3dgan.training.model_files import load_model

    return load_model(run, "generator")


def _preset(run: Run) -> keras.Model:
    generator = load(run)
    generator.name = "generator"  # where it is a running mean it has another name
    return generator


def _generate(run: Run, count: int, seed: int, temperature: float | None, classes: Sequence[str]) -> np.ndarray:
    from keras3dgan.training import best_generator

    if temperature is not None:
        raise InputError("a 3D-GAN has none; leave it out.", "temperature")
    if classes:
        raise InputError("a 3D-GAN draws from all that it was trained on; leave it out.", "classes")
    generator = load(run)
    latents = best_generator.latents(count, generator.latent_size, run.settings["latent_stddev"], seed)
    return best_generator.occupancy(generator, latents)


def _discriminator(run: Run) -> keras.Model:
    from keras3dgan.training.model_files import load_model

    return load_model(run, "discriminator")


def _parts(run: Run) -> list[Part]:
    return [Part("generator", "generator", load(run), latent_stddev=run.settings["latent_stddev"])]


def _line(result: dict[str, Any]) -> str:
    if "best" not in result:
        return "generation was not measured"
    best = result["best"]
    return (
        f"kept the generator of epoch {best['epoch']}: score {best['score']:.3f}, coverage {best['coverage_iou']:.2f}, 1-NN "
        f"accuracy {best['nna_iou']:.2f}, MMD {best['mmd_iou']:.2f} (IoU distance, validation shapes)"
    )


def _facts(result: dict[str, Any]) -> list[str]:
    if "best" not in result:
        return []
    best = result["best"]
    return [
        f"Kept the generator of epoch {best['epoch']}: coverage {best['coverage_iou']:.2f}, 1-nearest-neighbour accuracy "
        f"{best['nna_iou']:.2f} (0.5 is best), matching distance {best['mmd_iou']:.2f}, against validation shapes (1 - IoU)."
    ]


RECIPE = Recipe(
    kind="gan",
    title="3D-GAN",
    help="train a 3D-GAN",
    settings={"gan": GANSettings, "wgan_gp": WGANGPSettings, "r3gan": R3GANSettings, "latent": LatentSettings},
    presets=PRESETS,
    inputs={
        "voxnet": Input("voxnet", "run of train_voxnet; its features give the Frechet distance"),
        "autoencoder": Input("autoencoder", "latent: run of train_autoencoder, whose latents are learnt"),
        "generator": Input("gan", "wgan_gp: run of train_gan whose generator goes on; of a latent one the mapping"),
    },
    train=train,
    line=_line,
    facts=_facts,
    curves={
        "losses": ("g_loss", "d_loss"),
        "discriminator": ("d_accuracy_real", "d_accuracy_fake", "d_trained", "gradient_penalty", "d_margin"),
        "generated, validation shapes": ("generated_score", "generated_coverage_iou", "generated_nna_iou"),
        "samples": ("occupied", "diversity", "generated_diversity", "generated_novelty"),
    },
    parts=_parts,
    task="makes new shapes",
    preset=_preset,
    generate=_generate,
    generator=load,
    discriminator=_discriminator,
)
