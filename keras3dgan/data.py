"""Shapes by name or path, and the batches that models are trained on."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from keras3dgan.augmentation import Augmentation, hash31
from keras3dgan.errors import InputError
from keras3dgan.voxels import split_archive
from keras3dgan.voxels.shape_set import SPLITS, ShapeSet, read_packed_archive

# JAX trains without TensorFlow; the batches are then the same, made by numpy in the step's own thread.
if importlib.util.find_spec("tensorflow"):
    import tensorflow as tf

    from keras3dgan import tensor_packing
else:
    tf = None


# What may be done with models that have learnt from these.
_TERMS = {
    "ModelNet": "it has learnt from ModelNet, whose data are for academic use",
    "ShapeNet": "it has learnt from ShapeNet, whose data are for research and education that is not commercial",
    "furniture_voxels": "it has learnt from models under CC BY 3.0 and CC0 alone, named in ATTRIBUTION.tsv of furniture_voxels",
    "open_shapes_voxels": "it has learnt from models under CC BY-SA, GPL, the Free Art License and freer ones, named in "
    "ATTRIBUTION.tsv of open_shapes_voxels",
}


def is_file(dataset: str) -> bool:
    """Whether a data set, named as for `load`, is a `.npz`, not one of TFDS."""
    return dataset.lower().endswith(".npz")


def terms(dataset: str) -> tuple[str, str]:
    """What a data set, named as for `load`, is called, and what its licence means for a model that learns from it.

    Raises:
        InputError: a `.npz` whose name does not tell what is in it.
    """
    if is_file(dataset):
        file = dataset.rpartition("/")[2]
        if "modelnet" not in file.lower():
            raise InputError(f"what may be done with models that learn from {file} is not known; say it.", "terms")
        return "ModelNet10", _TERMS["ModelNet"]
    name, _, config = dataset.partition("/")
    if name == "modelnet_voxels":
        return "ModelNet40" if "40" in config else "ModelNet10", _TERMS["ModelNet"]
    return ("ShapeNet", _TERMS["ShapeNet"]) if name == "shapenet_voxels" else (name, _TERMS[name])


def load(
    dataset: str,
    split: str,
    classes: Sequence[str] = (),
    resolution: int = 32,
    data_dir: str | None = None,
    manual_dir: str | None = None,
) -> ShapeSet:
    """Loads one split of a data set into memory, one bit a voxel.

    Args:
        dataset: the name of a builder in `keras3dgan.datasets`, as `furniture_voxels` or, with a config,
            `modelnet_voxels/volumetric10_32`; or the path of a `.npz` with `X_train, y_train, X_test, y_test`, or of one
            that `voxels.split_archive` wrote.
        split: `train`, `validation` or `test`.
        classes: only these, labelled in this order; default: all.
        resolution: n of the grids, 32, 64 or what else the data set has.
        data_dir: where TFDS keeps prepared data sets; default: its own.
        manual_dir: the folder that holds the source of a data set that must be fetched by hand, or a `.npz` that is not
            where `dataset` says: a preset names the file that it was trained on.

    Raises:
        InputError: no such data set, split or class, or its source is missing.
    """
    if split not in SPLITS:
        raise InputError(f"'{split}' is no split; choose one of {', '.join(SPLITS)}.")
    if is_file(dataset):
        dataset = _at_hand(dataset, manual_dir)
        read = split_archive.read if split_archive.holds_splits(dataset) else read_packed_archive
        shapes = read(dataset, split, resolution)
    else:
        from keras3dgan.datasets import load_shapes  # here: TFDS takes a moment to import

        shapes = load_shapes(dataset, split, resolution, data_dir, manual_dir)
    return shapes.with_classes(classes) if classes else shapes


def _at_hand(path: str, manual_dir: str | None) -> str:
    """A file, or that of its name in `manual_dir`."""
    places = [pathlib.Path(path)]
    if manual_dir:
        places.append(pathlib.Path(manual_dir) / places[0].name)
    for place in places:
        if place.is_file():
            return str(place)
    raise InputError(f"{path}: no such file; give its path, or the folder that holds it as manual_dir.")


def training_batches(
    shapes: ShapeSet,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    augmentation: str = "none",
    with_labels: bool = False,
) -> Any:
    """Endless shuffled batches, a pure function of seed and step.

    Epoch e is a permutation of the set drawn from (seed, e), and batches run on from one epoch into the next. Started at
    `start_step`, they are what uninterrupted ones would have been from there, so resuming needs no state.

    Args:
        shapes: what to draw from.
        batch_size: shapes a batch.
        seed: of order and augmentation.
        start_step: the number of batches already used.
        augmentation: names of `Augmentation`, by comma.
        with_labels: pairs of voxels and labels instead of voxels alone.

    Returns:
        For `keras.Model.fit`: a `tf.data.Dataset`, or a generator where there is no TensorFlow. float32
        (batch_size, n, n, n, 1) in {0, 1}, or pairs with int64 (batch_size,).
    """
    if len(shapes) == 0:
        raise InputError("There is no shape to train on; choose other classes or another split.")
    draw = functools.partial(_draw, len(shapes), batch_size, seed)
    augment = Augmentation(augmentation, shapes)
    if tf is None:
        return _endless(shapes, draw, start_step, augment, with_labels)
    packed, labels = tf.constant(shapes.packed), tf.constant(shapes.labels)

    def batch(step: Any) -> Any:
        # No tf.numpy_function: its threads wait for Python's lock, which is held while an iterator waits for its threads.
        rows, keys = draw(step, tf.experimental.numpy)
        voxels = tensor_packing.unpack(tf.gather(packed, rows), shapes.resolution)
        voxels = augment(voxels, rows, keys, tf.experimental.numpy)
        return (voxels, tf.gather(labels, rows)) if with_labels else voxels

    steps = tf.data.Dataset.range(start_step, np.iinfo(np.int64).max // batch_size)
    return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)


def vector_batches(vectors: np.ndarray, batch_size: int, seed: int, start_step: int = 0) -> Any:
    """Endless batches of rows, float32 (batch_size, k), in the order of `training_batches`: a pure function of seed and step.

    Args:
        vectors: float32 (count, k).
        batch_size: rows a batch.
        seed: of the order.
        start_step: the number of batches already used.
    """
    draw = functools.partial(_draw, len(vectors), batch_size, seed)
    if tf is None:
        return ((vectors[draw(step, np)[0]],) for step in itertools.count(start_step))
    table = tf.constant(vectors)
    steps = tf.data.Dataset.range(start_step, np.iinfo(np.int64).max // batch_size)
    return steps.map(lambda step: tf.gather(table, draw(step, tf.experimental.numpy)[0])).prefetch(2)


def evaluation_batches(shapes: ShapeSet, batch_size: int, with_labels: bool = False) -> Any:
    """Every shape once, in order; the last batch may be smaller. Values as in `training_batches`."""
    if tf is None:
        return _InOrder(shapes, batch_size, with_labels)

    def batch(packed: Any, labels: Any) -> Any:
        voxels = tensor_packing.unpack(packed, shapes.resolution)
        return (voxels, labels) if with_labels else voxels

    return tf.data.Dataset.from_tensor_slices((shapes.packed, shapes.labels)).batch(batch_size).map(batch).prefetch(2)


def picture_batches(
    shapes: ShapeSet,
    views: np.ndarray,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    latents: np.ndarray | None = None,
) -> Any:
    """Endless batches of a view and its shape, in the order of `training_batches`: a pure function of seed and step.

    The view is drawn anew each time; a third stand on white, a third on a colour, a third on a run of two colours.

    Args:
        shapes: the shapes.
        views: uint8 (count, views, s, s, 4), their pictures.
        batch_size: shapes a batch.
        seed: of order, views and backgrounds.
        start_step: the number of batches already used.
        latents: float32 (2, count, k), latents of the shapes and of their mirror images in x, to give in place of voxels. Half
            of the pictures are then mirrored, which shows the mirror image from a mirrored place.

    Returns:
        For `keras.Model.fit`: pairs of float32 (batch_size, s, s, 3) in [0, 1] and (batch_size, n, n, n, 1) in {0, 1}, or
        latents (batch_size, k).
    """
    draw = functools.partial(_draw, len(shapes), batch_size, seed)
    count = views.shape[1]
    flat = views.reshape(-1, *views.shape[2:])
    xp = tf.experimental.numpy if tf else np
    # Constants: what numpy holds would be copied in every step.
    tables = (flat, shapes.packed if latents is None else latents.reshape(-1, latents.shape[-1]))
    pictures, targets = map(tf.constant, tables) if tf else tables

    def batch(step: Any) -> tuple[Any, Any]:
        rows, _ = draw(step, xp)
        drawn = hash31(hash31(hash31(seed + 2) + step) + xp.arange(batch_size, dtype=np.int64))
        seen = xp.asarray(_rows(pictures, rows * count + drawn % count), np.float32)
        if latents is None:
            voxels = tensor_packing.unpack(_rows(targets, rows), shapes.resolution) if tf else _float(shapes, rows)
            return _on_backgrounds(seen, drawn, xp), voxels
        mirrored = drawn // 192 % 2
        seen = xp.where(mirrored[:, None, None, None] == 1, xp.flip(seen, 2), seen)
        return _on_backgrounds(seen, drawn, xp), _rows(targets, rows + mirrored * len(shapes))

    if tf is None:
        return map(batch, itertools.count(start_step))
    steps = tf.data.Dataset.range(start_step, np.iinfo(np.int64).max // batch_size)
    return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)


def _rows(table: Any, rows: Any) -> Any:
    return tf.gather(table, rows) if tf else table[rows]


def _on_backgrounds(views: Any, drawn: Any, xp: Any) -> Any:
    """Views (batch, s, s, 4) of 0 to 255 on backgrounds that `drawn` (batch,) names, (batch, s, s, 3) in [0, 1]."""
    size = views.shape[1]
    colors = hash31(drawn[:, None] + xp.arange(1, 7, dtype=np.int64)) % 256
    colors = xp.asarray(xp.reshape(colors, (-1, 2, 1, 1, 3)), np.float32) / np.float32(255)
    kind = (drawn // 64 % 3)[:, None, None, None]
    down = xp.reshape(xp.arange(size, dtype=np.float32) / np.float32(size), (1, size, 1, 1))
    run = colors[:, 0] * (1 - down) + colors[:, 1] * down
    background = xp.where(kind == 0, xp.ones_like(run), xp.where(kind == 1, colors[:, 0] * xp.ones_like(run), run))
    alpha = views[..., 3:] / np.float32(255)
    return views[..., :3] / np.float32(255) * alpha + background * (1 - alpha)


def _draw(count: int, batch_size: int, seed: int, step: Any, xp: Any) -> tuple[Any, Any]:
    """The rows of a step's batch, int64 (batch_size,), and for each a key to augment it by; `xp` is numpy or TensorFlow's numpy.

    The same numbers on both: keys are hashes, and the permutation of an epoch is the order of its keys.
    """
    places = xp.arange(batch_size, dtype=np.int64)
    positions = step * batch_size + places
    epochs = positions // count
    first = epochs[0]
    epochs_in_batch = -(-batch_size // count) + 1
    key = hash31(hash31(seed) + first + xp.arange(epochs_in_batch, dtype=np.int64))[:, None]
    keys = hash31(key + xp.arange(count, dtype=np.int64)) * count + xp.arange(count, dtype=np.int64)
    order = xp.reshape(xp.argsort(keys, axis=1), (-1,))
    rows = xp.take(order, (epochs - first) * count + positions % count)
    return rows, hash31(hash31(hash31(seed + 1) + step) + places)


def _endless(
    shapes: ShapeSet, draw: Callable[[int, Any], tuple[Any, Any]], step: int, augment: Augmentation, with_labels: bool
) -> Iterator[tuple]:
    while True:
        rows, keys = draw(step, np)
        voxels = augment(_float(shapes, rows), rows, keys, np)
        yield (voxels, shapes.labels[rows]) if with_labels else (voxels,)
        step += 1


class _InOrder(keras.utils.PyDataset):
    def __init__(self, shapes: ShapeSet, batch_size: int, with_labels: bool):
        super().__init__()
        self.shapes = shapes
        self.batch_size = batch_size
        self.with_labels = with_labels

    def __len__(self) -> int:
        return -(-len(self.shapes) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
        voxels = _float(self.shapes, rows)
        return (voxels, self.shapes.labels[rows]) if self.with_labels else (voxels,)


def _float(shapes: ShapeSet, rows: slice | np.ndarray) -> np.ndarray:
    return shapes.grids(rows).astype(np.float32)[..., None]
