"""The plain autoencoder (the report, section 4.2.2), and what beats linear components with its latents.

keras3dgan train_autoencoder --workdir=runs/autoencoder --preset=cpu --classes=chair
keras3dgan train_autoencoder --workdir=runs/best --preset=best --dataset=modelnet10.npz

Presets: `report`, its networks and loss; `best`, networks that start as PCA and learn what is left: IoU 0.957 on
ModelNet10's test split after 6,720 steps; `cpu`, the report's networks at a quarter of the width, an hour; `demo` and
`test`, minutes and seconds.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from keras3dgan.errors import InputError
from keras3dgan.runs import Run
from keras3dgan.training.options import Options
from keras3dgan.training.recipe import Part, Recipe
from keras3dgan.training.settings import Settings, knob

if TYPE_CHECKING:
    import keras

    from keras3dgan.codec.goals import Goal
    from keras3dgan.codec.latent.neural import NeuralCodec
    from keras3dgan.models.voxel_autoencoder import VoxelAutoencoder


@dataclasses.dataclass(frozen=True)
class AutoencoderSettings(Settings):
    """Encoder, decoder, and how they learn."""

    latent_size: int = knob(200, "length of the latent vector", least=1)
    width: int = knob(256, "channels next to the dense layer, of the 2x2x2 block or of the coarsest stage", least=1)
    network: str = knob(
        "plain",
        "plain, the report's; or residual: a linear path and residual convolutions",
        choices=("plain", "residual"),
    )
    residual_blocks: int = knob(1, "with network residual: blocks of a stage", least=1)
    start: str = knob(
        "random", "random; or pca, with network residual: the linear path starts as PCA", choices=("random", "pca")
    )
    init_stddev: float = knob(0.01, "with network plain: standard deviation of the initial weights; 0: He's", least=0)
    distortion: str = knob(
        "norm", "grid-level loss: norm, the report's; or cross_entropy_dice", choices=("norm", "cross_entropy_dice")
    )
    optimizer: str = knob("adam", "adam or adamw", choices=("adam", "adamw"))
    learning_rate: float = knob(0.001, "learning rate", above=0)
    beta_1: float = knob(0.5, "Adam's beta 1", least=0, below=1)
    weight_decay: float = knob(0.01, "with optimizer adamw: weight decay", least=0)
    schedule: str = knob(
        "halve",
        "of the learning rate: halve, every halve_every epochs; or cosine, to 0 at the end",
        choices=("halve", "cosine"),
    )
    halve_every: int = knob(30, "epochs after which the learning rate is halved; 0: never", least=0)
    warm_up: int = knob(0, "with schedule cosine: steps in which the learning rate rises", least=0)
    average: float = knob(
        0.0, "share of the old value in a running mean of the weights, 0.999 or so; 0: none", least=0, below=1
    )
    latent_step: float = knob(
        0.0, "quantisation step of the latents; 0: the coarsest that costs 0.005 of validation IoU", least=0
    )
    lambda_rate: float = knob(
        0.0, "weight of a bit of rate beside the distortion; 0: the report's, not trained for rate", least=0
    )
    noise_steps: tuple[float, float] = knob(
        (0.1, 0.8), "with lambda_rate: range of quantisation steps to train for", above=0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start == "pca" and self.network != "residual":
            raise InputError("pca needs a linear path; give network residual.", "start")

    @property
    def may_change(self) -> tuple[str, ...]:
        # A cosine ends with the last epoch.
        return () if self.schedule == "cosine" else super().may_change


# For trainings of a few hundred steps: with the report's values a decoder from scratch spends them all on learning that most
# voxels are empty (IoU 0 on furniture after 200 steps; these reach 0.5).
QUICK = {"init_stddev": 0.1, "learning_rate": 0.004}
# Above PCA from the first step on, since it starts there; more shapes than there are, by augmentation.
BEST = {
    "network": "residual",
    "start": "pca",
    "width": 128,
    "batch_size": 32,
    "epochs": 60,
    "augmentation": "mirror,shift,stretch",
    "distortion": "cross_entropy_dice",
    "optimizer": "adamw",
    "learning_rate": 0.001,
    "beta_1": 0.9,
    "schedule": "cosine",
    "warm_up": 200,
    "average": 0.998,
    "precision": "auto",
}
_CPU = {**QUICK, "width": 64, "epochs": 240, "halve_every": 60, "precision": "auto"}
# The quantisation step is the one that a search finds, which takes longer than three epochs.
_DEMO = {**BEST, "width": 24, "epochs": 14, "warm_up": 20, "average": 0.99, "latent_step": 1.0}
_TEST = {**QUICK, "width": 8, "latent_size": 16, "epochs": 3, "batch_size": 16}
PRESETS: dict[str, dict[str, Any]] = {"report": {}, "best": BEST, "cpu": _CPU, "demo": _DEMO, "test": _TEST}


def networks(settings: AutoencoderSettings) -> tuple[keras.Model, keras.Model]:
    """A new encoder and decoder."""
    from keras3dgan import models

    sizes = (settings.resolution, settings.latent_size, settings.width)
    if settings.network == "residual":
        blocks = settings.residual_blocks
        return models.ResidualEncoder(*sizes, blocks), models.ResidualDecoder(*sizes, blocks)
    stddev = settings.init_stddev
    return models.Encoder(*sizes, stddev), models.Generator(*sizes, stddev, name="decoder")


def build(settings: AutoencoderSettings) -> VoxelAutoencoder:
    """The autoencoder of these settings, not compiled."""
    from keras3dgan import models

    return models.VoxelAutoencoder(*networks(settings), **loss_arguments(settings))


def loss_arguments(settings: AutoencoderSettings) -> dict[str, Any]:
    """What the models of both recipes take of the settings."""
    return {name: getattr(settings, name) for name in ("lambda_rate", "noise_steps", "distortion", "seed")}


def _optimizer(settings: AutoencoderSettings, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    from keras3dgan.training.optimizers import cosine, halved, make_optimizer

    rate: Any = settings.learning_rate
    if settings.schedule == "cosine":
        rate = cosine(rate, settings.epochs * steps_per_epoch, settings.warm_up)
    elif settings.halve_every:
        rate = halved(rate, settings.halve_every * steps_per_epoch)
    return make_optimizer(settings.optimizer, rate, settings.beta_1, settings.weight_decay, settings.average)


def train(settings: AutoencoderSettings, run: Run, options: Options = Options()) -> dict[str, Any]:
    """Trains an autoencoder and writes `models/encoder.keras`, `models/decoder.keras` and the entropy tables of four rates.

    Arguments, result and errors as `recipes.gan.train`; loss and IoU on the validation shapes are logged every epoch.
    """
    from keras3dgan.training import loop

    with loop.prepared(settings):
        model = build(settings)
    return fit("autoencoder", model, settings, run, options)


def fit(
    kind: str,
    model: VoxelAutoencoder,
    settings: AutoencoderSettings,
    run: Run,
    options: Options,
    parts: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Trains a model of either recipe.

    Args:
        kind: of the run.
        model: not compiled.
        settings: every knob.
        run: where to write.
        options: data folders, checkpoints, pictures.
        parts: fingerprints of the trained models that went in, by name.
    """
    from keras3dgan import backend
    from keras3dgan.codec.latent import fitting, neural
    from keras3dgan.models.fingerprint import fingerprint
    from keras3dgan.models.linear_start import start_as_pca
    from keras3dgan.training import loop

    train_shapes, validation = options.load(settings, "train"), options.load(settings, "validation")
    if settings.start == "pca" and len(train_shapes) < settings.latent_size:
        raise InputError(
            f"{settings.latent_size} cannot start as PCA of {len(train_shapes)} training shapes; take at most as many, or start "
            "random.",
            "latent_size",
        )
    if finished := loop.start(run, kind, settings, parts):
        return finished
    if settings.start == "pca":
        start_as_pca(model.encoder, model.decoder, train_shapes, settings.seed)
    optimizer = _optimizer(settings, loop.steps_per_epoch(train_shapes, settings.batch_size))
    model.compile(optimizer, jit_compile=backend.jit_compile(settings.xla))
    model.optimizer.build(model.trainable_variables)

    def summary() -> dict[str, Any]:
        # Called, not asked to `predict`: under a strategy every device would answer for the whole batch.
        coders = fitting.fit_coders(
            functools.partial(neural.analyse, functools.partial(model.encoder, training=False)),
            functools.partial(neural.synthesise, functools.partial(model.decoder, training=False)),
            train_shapes,
            validation,
            fingerprint(model.decoder),
            settings.latent_step,
        )
        run.save_coders([coder.to_bytes() for coder in coders])
        return {"latent_step": coders[0].step}

    exports = {"encoder": model.encoder, "decoder": model.decoder}
    return loop.fit(run, model, settings, train_shapes, validation, exports, options, summary=summary)


def load(run: Run, goal: Goal | None = None) -> NeuralCodec:
    """The trained encoder and decoder as a codec of four rates.

    Raises:
        InputError: the training has not finished.
    """
    from keras3dgan.codec.goals import Goal
    from keras3dgan.codec.latent.entropy_coder import EntropyCoder
    from keras3dgan.codec.latent.neural import NeuralCodec
    from keras3dgan.models.latent_search import LatentSearch
    from keras3dgan.training.model_files import load_models

    goal = goal or Goal()
    encoder, decoder = load_models(run, "encoder", "decoder")
    files = run.coder_files()
    if not files:
        raise InputError(f"{run.path}: no entropy tables here (coder.npz is missing); let its training finish.")
    coders = [EntropyCoder.from_bytes(path.read_bytes(), str(path)) for path in files]
    search = LatentSearch(decoder, coders[0], goal.latent_steps) if goal.latent_steps else None
    return NeuralCodec(encoder, decoder, coders, goal, search)


def for_latents(run: Run | None, resolution: int, learnt: bool) -> tuple[NeuralCodec | None, dict[str, str]]:
    """The autoencoder whose latents another training learns, as `--autoencoder` gives it, and its fingerprint.

    Args:
        run: the autoencoder's.
        resolution: n of the other training.
        learnt: whether it learns latents; else None and nothing are returned.

    Raises:
        InputError: the run is missing or too many, or for another resolution.
    """
    if not learnt:
        if run is not None:
            raise InputError("only variant latent takes one; leave it out.", "autoencoder")
        return None, {}
    if run is None:
        raise InputError("give the run of a trained autoencoder, whose latents variant latent learns.", "autoencoder")
    codec = load(run)
    if codec.resolution != resolution:
        raise InputError(f"{run.path} is for {codec.resolution}^3, not {resolution}^3.", "autoencoder")
    return codec, {"autoencoder": codec.fingerprint.hex()}


def preset(run: Run) -> VoxelAutoencoder:
    """The autoencoder or the compressor that a run trained, as a preset holds it."""
    from keras3dgan import models

    return models.VoxelAutoencoder.from_preset(run.path)


def parts(run: Run) -> list[Part]:
    """A new decoder harms nobody before its encoder comes."""
    codec = load(run)
    return [
        Part("decoder", "decoder", codec.decoder, codec.coder),
        Part("encoder", "encoder", codec.encoder, codec.coder),
    ]


def line(result: dict[str, Any]) -> str:
    """What the command says of a result."""
    if "val_iou" not in result["last"]:
        return "IoU was not measured, which takes a validation shape for every device"
    return f"IoU {result['last']['val_iou']:.3f} on {result['validation_shapes']} validation shapes"


RECIPE = Recipe(
    kind="autoencoder",
    title="Plain autoencoder",
    help="train the plain autoencoder, the baseline",
    settings=AutoencoderSettings,
    presets=PRESETS,
    train=train,
    line=line,
    curves={"loss": ("loss", "val_loss"), "IoU": ("iou", "val_iou")},
    codec=load,
    codec_name=lambda settings: "Plain autoencoder" if settings.get("network", "plain") == "plain" else "Autoencoder",
    parts=parts,
    task="compresses shapes",
    preset=preset,
)
