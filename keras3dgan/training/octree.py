"""Training of the octree model, which predicts shapes voxel by voxel."""

from __future__ import annotations

import collections
import concurrent.futures
import dataclasses
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tqdm

from keras3dgan import backend, codec
from keras3dgan.codec.octree import classes
from keras3dgan.codec.octree.codebook import Codebook
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.errors import InputError
from keras3dgan.models.octree_predictor import build_octree_predictor, from_integers, to_integers
from keras3dgan.training import loop
from keras3dgan.training.callbacks import RunRecorder
from keras3dgan.training.presets import OctreeSettings
from keras3dgan.training.prototypes import fit_codebook
from keras3dgan.training.run_directory import RunDirectory
from keras3dgan.training.voxel_samples import Batch, VoxelSamples
from keras3dgan.voxels.shape_set import ShapeSet

# Validation shapes whose bytes are counted after every epoch.
_MEASURED = 200
BUNDLED = "furniture_voxels"
_AHEAD, _MAKERS = 4, 2


def build_predictor(settings: OctreeSettings) -> keras.Model:
    """The compiled networks of these settings; the learning rate falls to zero along half a cosine."""
    model = build_octree_predictor(settings.resolution, settings.width, settings.dropout)
    steps = settings.epochs * settings.steps
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay),
        loss={name: keras.losses.BinaryCrossentropy(from_logits=True) for name in model.output},
        jit_compile=backend.jit_compile(settings.xla),
    )
    model.optimizer.build(model.trainable_variables)
    return model


def train_octree(settings: OctreeSettings, run: RunDirectory, options: loop.Options = loop.Options()) -> dict[str, Any]:
    """Trains an octree model and writes `models/octree.npz`; arguments, result and errors as `train_gan`.

    The result also holds the mean bytes of the validation shapes.
    """
    first = _first_model(settings)
    sets, held_out = _sets(settings, options, "train"), _sets(settings, options, "validation")
    sets += held_out if settings.learn_validation else []
    train, validation = (np.concatenate([each.grids() for each in part]) for part in (sets, held_out))
    run.start("octree", settings)
    if loop.is_finished(run, settings):
        return run.result() or {}
    loop.prepare(settings)
    model = build_predictor(settings)
    if first is not None:
        from_integers(model, first)
    codebook = fit_codebook(train, settings.prototypes, settings.seed, known_shapes(settings, options))
    labels = [each.class_names[label] for each in sets for label in each.labels]
    codebook.classes = classes.count(codebook.nearest(train)[:, 0], codebook.prototypes, labels)
    samples = VoxelSamples(train, settings.batch_size, settings.seed, settings.prototypes, settings.stretch)
    measured = validation[np.random.default_rng(0).permutation(len(validation))[:_MEASURED]]
    return _fit(run, model, settings, codebook, samples, measured, options, len(train))


def _first_model(settings: OctreeSettings) -> OctreeModel | None:
    """The model of `--start_from`."""
    if not settings.start_from:
        return None
    path = codec.octree_file(settings.start_from)
    if path is None:
        raise InputError(f"--start_from: {settings.start_from} is no octree model; name one, its .npz or a run.")
    model = OctreeModel.from_bytes(path.read_bytes(), str(path))
    if model.resolution > settings.resolution or model.width != settings.width:
        raise InputError(
            f"--start_from: {settings.start_from} is of resolution {model.resolution} and width {model.width}; give this width, "
            "and at least this resolution."
        )
    return model


def known_shapes(settings: OctreeSettings, options: loop.Options) -> np.ndarray | None:
    """The training shapes that the model may carry: those of other people may be theirs to give away."""
    names = [name for name in (settings.dataset, *settings.more_datasets) if settings.known == "all" or name == BUNDLED]
    if settings.known == "none" or not names:
        return None
    splits = ("train", "validation") if settings.learn_validation else ("train",)
    return np.concatenate(
        [options.load(dataclasses.replace(settings, dataset=n), split).grids() for n in names for split in splits]
    )


def _sets(settings: OctreeSettings, options: loop.Options, split: str) -> list[ShapeSet]:
    names = (settings.dataset, *settings.more_datasets)
    return [options.load(dataclasses.replace(settings, dataset=n), split) for n in names]


def _fit(
    run: RunDirectory,
    model: keras.Model,
    settings: OctreeSettings,
    codebook: Codebook,
    samples: VoxelSamples,
    measured: np.ndarray,
    options: loop.Options,
    train_shapes: int,
) -> dict[str, Any]:
    """Epoch after epoch, from the last checkpoint on. Not Keras's `fit`: on TensorFlow it would read Python's batches through
    tf.data, whose threads and an iterator that ends can wait for each other."""
    progress = loop.resume(run, model, settings)
    recorder = RunRecorder(run, settings.steps, progress["seconds"], options.checkpoint_seconds, {})
    recorder.set_params({"epochs": settings.epochs})
    recorder.set_model(model)
    recorder.on_train_begin()
    try:
        for epoch in range(int(progress["epoch"]), settings.epochs):
            losses = _train_epoch(model, samples, epoch, settings)
            integers = to_integers(model, codebook)
            measures = {"loss": float(np.mean(losses)), "val_bytes": mean_bytes(integers, measured)}
            run.save_octree(integers)
            recorder.on_epoch_end(epoch, measures)
            print(f"epoch {epoch + 1}/{settings.epochs} - " + " - ".join(f"{k}: {v:.4f}" for k, v in measures.items()))
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
