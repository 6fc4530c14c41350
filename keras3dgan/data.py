"""Shapes by name or path, and the batches that models are trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras3dgan.errors import InputError
from keras3dgan.voxels.shape_set import ShapeSet, read_packed_archive

SPLITS = ("train", "validation", "test")

# Unpacking by table is several times faster than by bit shifts.
_BITS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)


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
            `modelnet_voxels/volumetric10_32`; or the path of a `.npz` with `X_train, y_train, X_test, y_test`.
        split: `train`, `validation` or `test`.
        classes: only these, labelled in this order; all unless told.
        resolution: n of the grids, 32 or 64.
        data_dir: where TFDS keeps prepared data sets; its own default unless told.
        manual_dir: the folder that holds the source of a data set that must be fetched by hand.

    Raises:
        InputError: no such data set, split or class, or its source is missing.
    """
    if split not in SPLITS:
        raise InputError(f"'{split}' is no split; choose one of {', '.join(SPLITS)}.")
    if dataset.lower().endswith(".npz"):
        shapes = read_packed_archive(dataset, split, resolution)
    else:
        from keras3dgan.datasets import load_shapes  # here: TFDS takes a moment to import

        shapes = load_shapes(dataset, split, resolution, data_dir, manual_dir)
    return shapes.with_classes(classes) if classes else shapes


def training_batches(
    shapes: ShapeSet,
    batch_size: int,
    seed: int,
    start_step: int = 0,
    augmentation: str = "none",
    with_labels: bool = False,
) -> tf.data.Dataset:
    """Endless shuffled batches, a pure function of seed and step.

    Epoch e is a permutation of the set drawn from (seed, e), and batches run on from one epoch into the next. Started at
    `start_step`, the data set gives what an uninterrupted one would have given from there, so resuming needs no state.

    Args:
        shapes: what to draw from.
        batch_size: shapes a batch.
        seed: of order and augmentation.
        start_step: the number of batches already used.
        augmentation: `none`; `flip`, mirrors half of the shapes in x; `rotate`, turns by multiples of 90 degrees about z.
        with_labels: pairs of voxels and labels instead of voxels alone.

    Returns:
        float32 (batch_size, n, n, n, 1) in {0, 1}, or pairs with int64 (batch_size,).
    """
    if len(shapes) == 0:
        raise InputError("There is no shape to train on; choose other classes or another split.")
    packed, labels = tf.constant(shapes.packed), tf.constant(shapes.labels)
    count = len(shapes)

    def batch(step):
        position = step * batch_size + tf.range(batch_size, dtype=tf.int64)
        epoch, index = position // count, position % count
        seeds = tf.stack([tf.fill([batch_size], tf.cast(seed, tf.int64)), epoch, tf.zeros_like(epoch)], axis=1)
        last = tf.fill([batch_size], tf.cast(count - 1, tf.int64))
        # tf.random.experimental.index_shuffle pads a batch of seeds along the wrong axis (TensorFlow 2.21).
        rows = tf.raw_ops.RandomIndexShuffle(index=index, seed=seeds, max_index=last)
        voxels = _augment(_unpack(tf.gather(packed, rows), shapes.resolution), augmentation, seed, step)
        return (voxels, tf.gather(labels, rows)) if with_labels else voxels

    steps = tf.data.Dataset.range(start_step, np.iinfo(np.int64).max // batch_size)
    return steps.map(batch, num_parallel_calls=2, deterministic=True).prefetch(2)


def evaluation_batches(shapes: ShapeSet, batch_size: int, with_labels: bool = False) -> tf.data.Dataset:
    """Every shape once, in order; the last batch may be smaller. Values as in `training_batches`."""

    def batch(packed, labels):
        voxels = _unpack(packed, shapes.resolution)
        return (voxels, labels) if with_labels else voxels

    return tf.data.Dataset.from_tensor_slices((shapes.packed, shapes.labels)).batch(batch_size).map(batch).prefetch(2)


def _unpack(packed: tf.Tensor, resolution: int) -> tf.Tensor:
    bits = tf.gather(tf.constant(_BITS, tf.float32), tf.cast(packed, tf.int32))
    return tf.reshape(bits, (-1, resolution, resolution, resolution, 1))


def _augment(voxels: tf.Tensor, augmentation: str, seed: int, step: tf.Tensor) -> tf.Tensor:
    if augmentation == "none":
        return voxels
    turns = tf.random.stateless_uniform(
        [tf.shape(voxels)[0], 1, 1, 1, 1], [seed, step], maxval=2 if augmentation == "flip" else 4, dtype=tf.int32
    )
    if augmentation == "flip":
        return tf.where(turns == 1, tf.reverse(voxels, [1]), voxels)
    quarter = tf.reverse(tf.transpose(voxels, [0, 2, 1, 3, 4]), [1])
    half = tf.reverse(voxels, [1, 2])
    three = tf.reverse(tf.transpose(voxels, [0, 2, 1, 3, 4]), [2])
    return tf.where(turns == 1, quarter, tf.where(turns == 2, half, tf.where(turns == 3, three, voxels)))
