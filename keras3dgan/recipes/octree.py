"""The octree model, which predicts shapes voxel by voxel (docs/octree.md).

keras3dgan train_octree --workdir=runs/octree
keras3dgan train_octree --workdir=runs/octree --dataset=modelnet10.npz --more_datasets=furniture_voxels

Presets: `default`, some hours on two cores, with which `octree32` began; `test`, seconds.
"""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tqdm

from keras3dgan.codec.octree import classes
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.shipped import octree_file
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.runs import Run
from keras3dgan.training.options import Options
from keras3dgan.training.recipe import Recipe
from keras3dgan.training.settings import Settings, knob

if TYPE_CHECKING:
    import keras

    from keras3dgan.codec.goals import Goal
    from keras3dgan.codec.octree.codebook import Codebook
    from keras3dgan.codec.octree.octree_codec import OctreeCodec
    from keras3dgan.training.voxel_samples import Batch, VoxelSamples
    from keras3dgan.voxels.shape_set import ShapeSet

# Validation shapes of 32^3 whose bytes are counted after every epoch, fewer larger ones.
_MEASURED = 200
BUNDLED = "furniture_voxels"
_AHEAD, _MAKERS = 4, 2
_FILE = "octree.npz"
# Shapes are cleaner below 1, and less various (docs/octree.md).
_TEMPERATURE = 0.8


def _no_augmentation(value: str) -> str | None:
    return None if value == "none" else "octree models turn and shift shapes always; give --stretch, or leave it out."


@dataclasses.dataclass(frozen=True)
class OctreeSettings(Settings):
    """The octree model."""

    augmentation: str = knob("none", "none: shapes are turned, shifted and stretched anyway", check=_no_augmentation)
    more_datasets: tuple[str, ...] = knob((), "further data sets to learn from, by comma")
    learn_validation: bool = knob(False, "learn from the validation shapes too; for a last training, all choices made")
    batch_size: int = knob(2048, "voxels a step, of the finest level; half as many of each coarser one", least=1)
    epochs: int = knob(30, "passes of steps steps, each over 4000 shapes drawn anew", least=1)
    steps: int = knob(2000, "steps an epoch", least=1)
    start_from: str = knob(
        "",
        "octree model, by name or path, whose networks to go on from; those of coarser levels if it is for smaller grids",
    )
    stretch: float = knob(
        0.4, "share of the shapes drawn that are a slice shorter or longer along an axis", least=0, below=1
    )
    prototypes: int = knob(
        800, "shapes that the codebook's prototypes start from; at most two thirds are left", least=0
    )
    known: str = knob(
        "all",
        "training shapes that the model carries, to name them: all, bundled (furniture_voxels) or none",
        choices=("all", "bundled", "none"),
    )
    width: int = knob(256, "units of the first layer, at most 256", least=1, below=257)
    dropout: float = knob(0.1, "share of the first layer's units left out in training", least=0, below=1)
    learning_rate: float = knob(0.001, "AdamW's learning rate at the start; it falls to 0", above=0)
    weight_decay: float = knob(0.001, "AdamW's weight decay", least=0)


PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "test": {"epochs": 2, "steps": 60, "batch_size": 128, "width": 16, "prototypes": 40},
}


def build(settings: OctreeSettings) -> keras.Model:
    """The compiled networks of these settings; the learning rate falls to zero along half a cosine."""
    import keras

    from keras3dgan import backend
    from keras3dgan.models.octree_predictor import build_octree_predictor
    from keras3dgan.training.optimizers import cosine, make_optimizer

    model = build_octree_predictor(settings.resolution, settings.width, settings.dropout)
    steps = settings.epochs * settings.steps
    model.compile(
        make_optimizer("adamw", cosine(settings.learning_rate, steps), weight_decay=settings.weight_decay),
        loss={name: keras.losses.BinaryCrossentropy(from_logits=True) for name in model.output},
        jit_compile=backend.jit_compile(settings.xla),
    )
    model.optimizer.build(model.trainable_variables)
    return model


def train(settings: OctreeSettings, run: Run, options: Options = Options()) -> dict[str, Any]:
    """Trains an octree model and writes `models/octree.npz`; arguments, result and errors as `recipes.gan.train`.

    The result also holds the mean bytes of the validation shapes.
    """
    from keras3dgan import backend
    from keras3dgan.models.octree_predictor import from_integers
    from keras3dgan.training import loop
    from keras3dgan.training.prototypes import fit_codebook
    from keras3dgan.training.voxel_samples import VoxelSamples, halves

    if backend.on_several_hosts():
        raise InputError("multi_worker: an octree model trains on one host; take none.", "strategy")
    if backend.replicas() > 1:
        raise InputError("mirrored: an octree model trains on one device; take none.", "strategy")
    first = _first_model(settings)
    sets, held_out = _sets(settings, options, "train"), _sets(settings, options, "validation")
    sets += held_out if settings.learn_validation else []
    grids, validation = (np.concatenate([each.grids() for each in part]) for part in (sets, held_out))
    if len(set(halves(grids))) < 2:
        raise InputError("its shapes are too few, or too much alike, to learn from; give more.", "dataset")
    if finished := loop.start(run, "octree", settings):
        return finished
    with loop.prepared(settings):
        model = build(settings)
    if first is not None:
        from_integers(model, first)
    print(f"{run.path}: {len(grids)} shapes; looking for prototypes", flush=True)
    codebook = fit_codebook(grids, settings.prototypes, settings.seed, known_shapes(settings, options))
    labels = [each.class_names[label] for each in sets for label in each.labels]
    codebook.classes = classes.count(codebook.nearest(grids)[:, 0], codebook.prototypes, labels)
    print(f"{codebook.prototypes} prototypes; {settings.epochs} epochs of {settings.steps} steps", flush=True)
    samples = VoxelSamples(grids, settings.batch_size, settings.seed, settings.prototypes, settings.stretch)
    most = max(_MEASURED * 32**2 // settings.resolution**2, 1)
    measured = validation[np.random.default_rng(0).permutation(len(validation))[:most]]
    return _fit(run, model, settings, codebook, samples, measured, options, len(grids))


def _first_model(settings: OctreeSettings) -> OctreeModel | None:
    """The model of `start_from`."""
    if not settings.start_from:
        return None
    path = (
        Run(settings.start_from).model_file(_FILE)
        if Run.is_run(settings.start_from)
        else octree_file(settings.start_from)
    )
    model = OctreeModel.load(path)
    if model.resolution > settings.resolution or model.width != settings.width:
        raise InputError(
            f"{settings.start_from} is of resolution {model.resolution} and width {model.width}; give this width, and at least "
            "this resolution.",
            "start_from",
        )
    return model


def known_shapes(settings: OctreeSettings, options: Options) -> np.ndarray | None:
    """The training shapes that the model may carry: those of other people may be theirs to give away."""
    names = [name for name in (settings.dataset, *settings.more_datasets) if settings.known == "all" or name == BUNDLED]
    if settings.known == "none" or not names:
        return None
    splits = ("train", "validation") if settings.learn_validation else ("train",)
    return np.concatenate(
        [options.load(dataclasses.replace(settings, dataset=n), split).grids() for n in names for split in splits]
    )


def _sets(settings: OctreeSettings, options: Options, split: str) -> list[ShapeSet]:
    names = (settings.dataset, *settings.more_datasets)
    return [options.load(dataclasses.replace(settings, dataset=n), split) for n in names]


def _fit(
    run: Run,
    model: keras.Model,
    settings: OctreeSettings,
    codebook: Codebook,
    samples: VoxelSamples,
    measured: np.ndarray,
    options: Options,
    train_shapes: int,
) -> dict[str, Any]:
    """Epoch after epoch, from the last checkpoint on. Not Keras's `fit`: on TensorFlow it would read Python's batches through
    tf.data, whose threads and an iterator that ends can wait for each other."""
    from keras3dgan.models.octree_predictor import to_integers
    from keras3dgan.training import loop
    from keras3dgan.training.callbacks import RunRecorder

    progress = loop.resume(run, model, settings)
    recorder = RunRecorder(run, settings.steps, progress["seconds"], options.checkpoint_seconds, {})
    recorder.set_params({"epochs": settings.epochs})
    recorder.set_model(model)
    recorder.on_train_begin()
    try:
        for epoch in range(int(progress["epoch"]), settings.epochs):
            loss = float(np.mean(_train_epoch(model, samples, epoch, settings)))
            recorder.end_if_diverged(epoch, {"loss": loss})
            integers = to_integers(model, codebook)
            measures = {"loss": loss, "val_bytes": mean_bytes(integers, measured)}
            _save(run, integers)
            recorder.on_epoch_end(epoch, measures)
            print(
                f"epoch {epoch + 1}/{settings.epochs} - " + " - ".join(f"{k}: {v:.4f}" for k, v in measures.items()),
                flush=True,
            )
    except KeyboardInterrupt:
        recorder.save_and_leave()
        raise
    return loop.finish(run, settings, recorder, {"train_shapes": train_shapes, "validation_shapes": len(measured)})


def _train_epoch(model: keras.Model, samples: VoxelSamples, epoch: int, settings: OctreeSettings) -> list[float]:
    batches = _prefetched(samples, epoch, settings.steps)
    shown = tqdm.tqdm(batches, total=settings.steps, desc=f"epoch {epoch + 1}", disable=None, leave=False)
    return [float(model.train_on_batch(*batch, return_dict=True)["loss"]) for batch in shown]


def _prefetched(samples: VoxelSamples, epoch: int, steps: int) -> Iterator[Batch]:
    """The batches of an epoch, made a few steps ahead in other threads; numba releases the lock."""
    voxels = samples.epoch(epoch)
    with concurrent.futures.ThreadPoolExecutor(_MAKERS) as pool:
        ahead = collections.deque(pool.submit(voxels.batch, step) for step in range(min(_AHEAD, steps)))
        for step in range(steps):
            if step + _AHEAD < steps:
                ahead.append(pool.submit(voxels.batch, step + _AHEAD))
            yield ahead.popleft().result()


def mean_bytes(model: OctreeModel, grids: np.ndarray) -> float:
    """Mean bytes of grids (count, n, n, n), fractions of bytes included."""
    return float(np.mean([model.cost(grid) for grid in grids]))


def _save(run: Run, model: OctreeModel) -> None:
    if run.writes:
        with replacing(run.models / _FILE) as temporary:
            temporary.write_bytes(model.to_bytes())


def load(run: Run, goal: Goal | None = None) -> OctreeCodec:
    """The trained model as a codec."""
    from keras3dgan.codec.goals import Goal
    from keras3dgan.codec.octree.octree_codec import OctreeCodec

    return OctreeCodec(OctreeModel.load(run.model_file(_FILE)), goal or Goal())


def _generate(run: Run, count: int, seed: int, temperature: float | None, classes: Sequence[str]) -> np.ndarray:
    return load(run).sample(count, _TEMPERATURE if temperature is None else temperature, seed, classes)


def _line(result: dict[str, Any]) -> str:
    return f"{result['last']['val_bytes']:.1f} bytes a validation shape, every voxel exact"


RECIPE = Recipe(
    kind="octree",
    title="Octree model",
    help="train the model that codes shapes without loss",
    settings=OctreeSettings,
    presets=PRESETS,
    needs_keras=False,
    train=train,
    line=_line,
    curves={"loss": ("loss",), "bytes a validation shape": ("val_bytes",)},
    codec=load,
    generate=_generate,
    codec_name=lambda settings: "Octree model",
)
