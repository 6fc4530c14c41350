"""Every knob of every training, and the named sets of their values.

The defaults are the report's. A preset names only what differs from them; flags override presets.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from keras3dgan import augmentation
from keras3dgan.errors import InputError

VARIANTS = ("gan", "wgan_gp", "r3gan")
DECODERS = ("frozen", "finetuned", "scratch")
_OPTIMIZERS = ("adam", "sgd")
_CHOICES = {
    "precision": ("float32", "mixed_bfloat16"),
    "variant": VARIANTS,
    "network": ("plain", "residual"),
    "start": ("random", "pca"),
    "distortion": ("norm", "cross_entropy_dice"),
    "optimizer": ("adam", "adamw"),
    "schedule": ("halve", "cosine"),
    "d_normalization": ("batch", "inner", "none"),
    "g_optimizer": _OPTIMIZERS,
    "d_optimizer": _OPTIMIZERS,
    "decoder": DECODERS,
    "known": ("all", "bundled", "none"),
}


def knob(default: Any, help: str) -> Any:
    """A field of a settings class: its default and the sentence that `--help` shows."""
    return dataclasses.field(default=default, metadata={"help": help})


@dataclasses.dataclass(frozen=True)
class Settings:
    """What all trainings share."""

    dataset: str = knob(
        "furniture_voxels", "data set: a TFDS name, or a .npz of ModelNet10: X_train, y_train, X_test, y_test"
    )
    classes: tuple[str, ...] = knob((), "train on these classes only, e.g. chair,sofa; all unless told")
    resolution: int = knob(32, "voxels along an edge: 32 or 64")
    batch_size: int = knob(100, "shapes a step")
    augmentation: str = knob(
        "none",
        "none; or by comma: flip (in x), mirror (in x and y, where shapes stay alike), shift (a voxel), stretch (15 percent), "
        "rotate (quarter turns about z)",
    )
    epochs: int = knob(100, "passes over the training shapes")
    seed: int = knob(0, "of weights, order, noise")
    precision: str = knob("float32", "float32, or mixed_bfloat16: layers compute in bfloat16, weights stay float32")
    xla: bool = knob(False, "compile the step with XLA; good on GPUs, ruinous on CPUs")


@dataclasses.dataclass(frozen=True)
class AdversarialSettings(Settings):
    """What the 3D-GAN and the 3D-VAE-GAN share. The report names no number of epochs; its curves show a few hundred."""

    epochs: int = knob(300, "passes over the training shapes")
    latent_size: int = knob(200, "length of the latent vector")
    latent_stddev: float = knob(0.33, "standard deviation of the latents")
    width: int = knob(256, "channels of the 2x2x2 block next to the dense layer")
    init_stddev: float = knob(0.01, "standard deviation of the initial weights; 0: He's")
    init_occupied: float = knob(0.5, "occupancy that the untrained generator starts at; 0: that of the training shapes")
    d_normalization: str = knob("batch", "of the discriminator: batch, inner (batch but in the first layer) or none")
    g_optimizer: str = knob("adam", "generator's optimizer: adam or sgd")
    g_learning_rate: float = knob(0.0025, "generator's learning rate")
    d_optimizer: str = knob("sgd", "discriminator's optimizer: adam or sgd")
    d_learning_rate: float = knob(0.0001, "discriminator's learning rate")
    beta_1: float = knob(0.5, "Adam's beta 1")
    average: float = knob(
        0.0, "share of the old value in a running mean of the generator's weights, 0.99 or so; 0: none"
    )
    real_labels: tuple[float, float] = knob((0.7, 1.2), "range of the labels of real shapes")
    fake_labels: tuple[float, float] = knob((0.0, 0.3), "range of the labels of generated shapes")
    gate_accuracy: float = knob(0.8, "no discriminator update at this accuracy or above; above 1: always update")
    balance: float = knob(0.5, "how strongly learning rates follow the balance of the losses; 0: not at all")
    noise_stddev: float = knob(0.0, "standard deviation of noise on all that the discriminator sees")
    measure_every: int = knob(10, "epochs between measurements on validation shapes; 0: none")
    patience: int = knob(0, "measurements without a better one after which training ends; 0: never")


@dataclasses.dataclass(frozen=True)
class GANSettings(AdversarialSettings):
    """The 3D-GAN (the report, section 3.2)."""

    variant: str = knob("gan", "gan, the report's; wgan_gp, its future direction; or r3gan")
    diff_augment: str = knob("none", "r3gan: what the discriminator sees is changed by: mirror,shift,cutout; or none")
    critic_steps: int = knob(5, "wgan_gp: critic updates to one of the generator")
    penalty_weight: float = knob(10.0, "wgan_gp, r3gan: weight of the gradient penalty")


@dataclasses.dataclass(frozen=True)
class VAEGANSettings(AdversarialSettings):
    """The 3D-VAE-GAN (the report, equations 2 to 6; Wu et al. 2016, section 3.3)."""

    views: str = knob(
        "grids",
        "pictures: grids, the shapes' surfaces; or a folder of the furniture's .sh3f catalogues or of ShapeNetRendering",
    )
    picture_size: int = knob(256, "pixels along an edge of the pictures, a multiple of 32")
    encoder_width: int = knob(512, "channels of the image encoder's fourth convolution")
    e_learning_rate: float = knob(0.0003, "image encoder's learning rate")
    alpha1: float = knob(5.0, "weight of the divergence of the latents")
    alpha2: float = knob(0.0001, "weight of the reconstruction")


@dataclasses.dataclass(frozen=True)
class VoxNetSettings(Settings):
    """The classifier (the report, section 3.3.1; Maturana and Scherer 2015)."""

    epochs: int = knob(30, "passes over the training shapes")
    filters: int = knob(32, "channels of both convolutions")
    learning_rate: float = knob(0.001, "Adam's learning rate")


@dataclasses.dataclass(frozen=True)
class AutoencoderSettings(Settings):
    """The plain autoencoder (the report, section 4.2.2)."""

    latent_size: int = knob(200, "length of the latent vector")
    width: int = knob(256, "channels of the 2x2x2 block next to the dense layer")
    init_stddev: float = knob(0.01, "standard deviation of the initial weights")
    learning_rate: float = knob(0.001, "Adam's learning rate")
    beta_1: float = knob(0.5, "Adam's beta 1")
    halve_every: int = knob(30, "epochs after which the learning rate is halved; 0: never")
    network: str = knob("plain", "plain, the report's; or residual: a linear path and residual convolutions")
    residual_blocks: int = knob(1, "with --network=residual: blocks of a stage")
    start: str = knob("random", "random; or pca, with --network=residual: the linear path starts as PCA")
    distortion: str = knob("norm", "grid-level loss: norm, the report's; or cross_entropy_dice")
    optimizer: str = knob("adam", "adam or adamw")
    weight_decay: float = knob(0.01, "with --optimizer=adamw: weight decay")
    schedule: str = knob("halve", "of the learning rate: halve, every --halve_every epochs; or cosine, to 0 at the end")
    warm_up: int = knob(0, "with --schedule=cosine: steps in which the learning rate rises")
    average: float = knob(0.0, "share of the old value in a running mean of the weights, 0.999 or so; 0: none")
    latent_step: float = knob(
        0.0, "quantisation step of the latents; 0: the coarsest that costs 0.005 of validation IoU"
    )

    lambda_rate: float = knob(
        0.0, "weight of a bit of rate beside the distortion; 0: the report's, not trained for rate"
    )
    noise_steps: tuple[float, float] = knob((0.1, 0.8), "with --lambda_rate: range of quantisation steps to train for")


@dataclasses.dataclass(frozen=True)
class CompressorSettings(AutoencoderSettings):
    """The generative compressor (the report, section 3.3). The report names no lambdas."""

    decoder: str = knob("finetuned", "the GAN's generator frozen or finetuned, or a decoder from scratch")
    lambda1: float = knob(1.0, "weight of the grid-level loss")
    lambda2: float = knob(1.0, "weight of the perceptual loss")


@dataclasses.dataclass(frozen=True)
class OctreeSettings(Settings):
    """The octree model, which predicts voxel after voxel (docs/octree.md)."""

    more_datasets: tuple[str, ...] = knob((), "further data sets to learn from, by comma")
    learn_validation: bool = knob(False, "learn from the validation shapes too; for a last training, all choices made")
    batch_size: int = knob(2048, "voxels a step, of the finest level; half as many of each coarser one")
    epochs: int = knob(30, "passes of --steps steps, each over 4000 shapes drawn anew")
    steps: int = knob(2000, "steps an epoch")
    start_from: str = knob(
        "",
        "octree model, by name or path, whose networks to go on from; those of coarser levels if it is for smaller grids",
    )
    stretch: float = knob(0.4, "share of the shapes drawn that are a slice shorter or longer along an axis")
    prototypes: int = knob(800, "shapes that the codebook's prototypes start from; at most two thirds are left")
    known: str = knob(
        "all", "training shapes that the model carries, to name them: all, bundled (furniture_voxels) or none"
    )
    width: int = knob(256, "units of the first layer, at most 256")
    dropout: float = knob(0.1, "share of the first layer's units left out in training")
    learning_rate: float = knob(0.001, "AdamW's learning rate at the start; it falls to 0")
    weight_decay: float = knob(0.001, "AdamW's weight decay")


# What makes the report's 3D-GAN converge (docs/generation.md): an output that starts as full as real shapes are; a
# discriminator with Adam that sees the occupied fraction, learns on every step and sees everything through noise; and the
# running mean of the generator's weights in place of the last.
_GAN = {
    "init_stddev": 0.02,
    "init_occupied": 0.0,
    "d_normalization": "inner",
    "d_optimizer": "adam",
    "d_learning_rate": 0.0003,
    "gate_accuracy": 2.0,
    "balance": 0.0,
    "noise_stddev": 0.5,
    "average": 0.98,
}

# Gulrajani et al. 2017, with one critic step and rates that get somewhere in a few hundred steps. It needs the start at the
# occupied fraction: else the critic's first lesson empties the volume, and a saturated sigmoid takes long to come back.
_WGAN_GP = {
    "variant": "wgan_gp",
    "init_stddev": 0.0,
    "init_occupied": 0.0,
    "d_normalization": "none",
    "d_optimizer": "adam",
    "d_learning_rate": 0.001,
    "beta_1": 0.0,
    "critic_steps": 1,
    "average": 0.98,
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

_BEST_GAN = _WGAN_GP

# With the paper's weights the divergence is all that counts: ||.||_2 of a grid is some 20, so its term is 0.002. No running mean:
# the encoder has none, and the two would not fit.
_VAE_GAN = {
    **_GAN,
    "average": 0.0,
    "init_stddev": 0.1,
    "picture_size": 64,
    "encoder_width": 256,
    "alpha1": 0.01,
    "alpha2": 10.0,
    "measure_every": 5,
}

# For trainings of a few hundred steps: with the report's values a decoder from scratch spends them all on learning that most
# voxels are empty (IoU 0 on furniture after 200 steps; these reach 0.5).
_QUICK_AUTOENCODER = {"init_stddev": 0.1, "learning_rate": 0.004}

# Above PCA from the first step on, since it starts there; more shapes than there are, by augmentation.
_BEST_AUTOENCODER = {
    "network": "residual",
    "start": "pca",
    "width": 128,
    "batch_size": 32,
    "augmentation": "mirror,shift,stretch",
    "distortion": "cross_entropy_dice",
    "optimizer": "adamw",
    "learning_rate": 0.001,
    "beta_1": 0.9,
    "schedule": "cosine",
    "warm_up": 200,
    "average": 0.998,
    "precision": "mixed_bfloat16",
}

# At lambda2 = 1 the perceptual term is thrice the grid-level one; on validation furniture that costs 0.03 of IoU
# (docs/results.md; on chairs it makes no clear difference).
_QUICK_COMPRESSOR = {"lambda2": 0.1}

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
}

_BEST_64 = {**_BEST_GAN, "resolution": 64, "batch_size": 50}

PRESETS: dict[type[Settings], dict[str, dict[str, Any]]] = {
    GANSettings: {
        "report": {},
        "best": _BEST_GAN,
        "gan": _GAN,
        "wgan_gp": _WGAN_GP,
        "r3gan": _R3GAN,
        "64": _BEST_64,
        "wu2016_64": _WU2016_64,
        "cpu": {**_BEST_GAN, "width": 64, "epochs": 500},
        "demo": {**_BEST_GAN, "width": 48, "epochs": 70, "batch_size": 50, "augmentation": "flip"},
        "test": {**_GAN, "width": 8, "latent_size": 16, "epochs": 3, "batch_size": 16},
    },
    VAEGANSettings: {
        "wu2016": {},
        "cpu": {**_VAE_GAN, "width": 64, "epochs": 100},
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
    },
    VoxNetSettings: {
        "report": {},
        "cpu": {"epochs": 15},
        "demo": {"epochs": 12, "filters": 16, "batch_size": 50, "augmentation": "flip"},
        "test": {"epochs": 3, "filters": 4, "batch_size": 16},
    },
    AutoencoderSettings: {
        "report": {},
        "best": _BEST_AUTOENCODER,
        "cpu": {**_QUICK_AUTOENCODER, "width": 64, "epochs": 240, "halve_every": 60},
        "demo": {**_QUICK_AUTOENCODER, "width": 48, "epochs": 60, "batch_size": 50, "augmentation": "flip"},
        "test": {**_QUICK_AUTOENCODER, "width": 8, "latent_size": 16, "epochs": 3, "batch_size": 16},
    },
    CompressorSettings: {
        "report": {},
        "cpu": {**_QUICK_AUTOENCODER, **_QUICK_COMPRESSOR, "width": 64, "epochs": 240, "halve_every": 60},
        "demo": {
            **_QUICK_AUTOENCODER,
            **_QUICK_COMPRESSOR,
            "width": 48,
            "epochs": 60,
            "batch_size": 50,
            "augmentation": "flip",
        },
        "test": {
            **_QUICK_AUTOENCODER,
            **_QUICK_COMPRESSOR,
            "width": 8,
            "latent_size": 16,
            "epochs": 3,
            "batch_size": 16,
        },
    },
    OctreeSettings: {
        "default": {},
        "test": {"epochs": 2, "steps": 60, "batch_size": 128, "width": 16, "prototypes": 40},
    },
}


def from_config(kind: type[Settings], values: dict[str, Any]) -> Any:
    """The settings that a run's `config.json` records."""
    read: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return kind(**read)


def settings(kind: type[Settings], preset: str, overrides: dict[str, Any]) -> Any:
    """The settings of a preset, changed by `overrides`.

    Raises:
        InputError: there is no such preset, or a value is out of its range.
    """
    presets = PRESETS[kind]
    if preset not in presets:
        raise InputError(f"--preset: '{preset}' is unknown; choose one of {', '.join(presets)}.")
    result = kind(**{**presets[preset], **overrides})
    _check(result)
    return result


def _check(values: Settings) -> None:
    counts = (
        "resolution",
        "batch_size",
        "epochs",
        "latent_size",
        "width",
        "residual_blocks",
        "filters",
        "critic_steps",
        "steps",
    )
    for name in (*counts, "encoder_width"):
        if getattr(values, name, 1) < 1:
            raise InputError(f"--{name}: must be at least 1, got {getattr(values, name)}.")
    for name in ("learning_rate", "g_learning_rate", "d_learning_rate", "e_learning_rate", "latent_stddev"):
        if not getattr(values, name, 1.0) > 0:
            raise InputError(f"--{name}: must be above 0, got {getattr(values, name)}.")
    if values.resolution & (values.resolution - 1) or values.resolution < 8:
        raise InputError(f"--resolution: must be a power of two, at least 8, got {values.resolution}.")
    for name in (
        "seed",
        "halve_every",
        "init_stddev",
        "noise_stddev",
        "penalty_weight",
        "measure_every",
        "patience",
        "latent_step",
        "lambda_rate",
        "weight_decay",
        "warm_up",
        "prototypes",
        "alpha1",
        "alpha2",
    ):
        if getattr(values, name, 0) < 0:
            raise InputError(f"--{name}: must not be negative, got {getattr(values, name)}.")
    if getattr(values, "picture_size", 32) % 32 or getattr(values, "picture_size", 32) < 32:
        raise InputError(f"--picture_size: must be a multiple of 32, got {values.picture_size}.")  # type: ignore[attr-defined]
    for name in ("beta_1", "average", "init_occupied", "dropout", "stretch"):
        if not 0 <= getattr(values, name, 0.0) < 1:
            raise InputError(f"--{name}: must be at least 0 and below 1, got {getattr(values, name)}.")
    for name in ("real_labels", "fake_labels", "noise_steps"):
        low, high = getattr(values, name, (0, 1))
        if low > high:
            raise InputError(f"--{name}: the first number must not be above the second, got {low},{high}.")
    if not getattr(values, "noise_steps", (1,))[0] > 0:
        raise InputError(f"--noise_steps: must be above 0, got {values.noise_steps[0]}.")  # type: ignore[attr-defined]
    augmentation.parse(values.augmentation)
    for name, choices in _CHOICES.items():
        value = getattr(values, name, choices[0])
        if value not in choices:
            raise InputError(f"--{name}: must be one of {', '.join(choices)}, got '{value}'.")
    if getattr(values, "variant", "gan") != "gan" and values.d_normalization != "none":  # type: ignore[attr-defined]
        raise InputError(
            f"--d_normalization: must be none with --variant={values.variant}, whose penalty is on each shape alone."  # type: ignore[attr-defined]
        )
