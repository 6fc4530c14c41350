"""The builders, registered with TensorFlow Datasets by being imported, and the reading of what they have prepared."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from keras3dgan.datasets.furniture_voxels import furniture_voxels_dataset_builder
from keras3dgan.datasets.modelnet_voxels import modelnet_voxels_dataset_builder
from keras3dgan.datasets.open_shapes_voxels import open_shapes_voxels_dataset_builder
from keras3dgan.datasets.shapenet_voxels import shapenet_voxels_dataset_builder
from keras3dgan.errors import InputError
from keras3dgan.voxels.shape_set import ShapeSet

# The config that a name alone stands for.
_DEFAULT_CONFIGS = {
    "furniture_voxels": "{}",
    "modelnet_voxels": "volumetric10_{}",
    "open_shapes_voxels": "{}",
    "shapenet_voxels": "solid_{}",
}
_MODULES = (
    furniture_voxels_dataset_builder,
    modelnet_voxels_dataset_builder,
    open_shapes_voxels_dataset_builder,
    shapenet_voxels_dataset_builder,
)
_BUILDERS = dict(zip(_DEFAULT_CONFIGS, (module.Builder for module in _MODULES), strict=True))
_READ_AT_ONCE = 1024


def load_shapes(
    dataset: str, split: str, resolution: int = 32, data_dir: str | None = None, manual_dir: str | None = None
) -> ShapeSet:
    """Loads a split of a registered data set, by id, preparing it first where that has not been done.

    Args:
        dataset: `furniture_voxels`, `modelnet_voxels`, `open_shapes_voxels` or `shapenet_voxels`, or one with a config
            behind a slash.
        split: `train`, `validation` or `test`.
        resolution: n of the grids; a config's own must agree.
        data_dir: where TFDS keeps prepared data sets; default: its own.
        manual_dir: where the source lies that must be fetched by hand.

    Raises:
        InputError: no such data set or config, or its source is missing or bad.
    """
    return _read(prepare(dataset, resolution, data_dir, manual_dir), split, resolution)


def prepare(
    dataset: str, resolution: int = 32, data_dir: str | None = None, manual_dir: str | None = None
) -> tfds.core.DatasetBuilder:
    """The builder of a data set, prepared; arguments and errors as `load_shapes`."""
    name, _, config = dataset.partition("/")
    if name not in _BUILDERS:
        raise InputError(f"'{name}' is unknown; choose one of {', '.join(_BUILDERS)}, or a .npz file.", "dataset")
    config = config or _DEFAULT_CONFIGS[name].format(resolution)
    if config not in _BUILDERS[name].builder_configs:
        known = ", ".join(_BUILDERS[name].builder_configs)
        raise InputError(f"{name} has no config '{config}'; choose one of {known}.", "dataset")
    if manual_dir is not None and not pathlib.Path(manual_dir).is_dir():
        raise InputError(f"{manual_dir} is no folder; name the one that holds the source of {name}.", "manual_dir")
    builder = _BUILDERS[name](config=config, data_dir=data_dir)
    if builder.builder_config.resolution != resolution:
        raise InputError(f"{name}/{config} holds no grids of {resolution}^3; choose another resolution.", "dataset")
    # Preparing again is a no-op for what is there; with a config object TFDS does not download by itself.
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=manual_dir))
    return builder


def read_slice(
    dataset: str, split: str, resolution: int, data_dir: str | None = None
) -> Iterator[tuple[str, np.ndarray]]:
    """Id and grid, `uint8` (n, n, n), of each example of a slice of a split, as `train[0:1000]`, one after the other."""
    for example in prepare(dataset, resolution, data_dir).as_dataset(split=split).as_numpy_iterator():
        yield example["id"].decode(), example["volume"]


def _read(builder: tfds.core.DatasetBuilder, split: str, resolution: int) -> ShapeSet:
    examples = builder.as_dataset(split=split, decoders={"volume": tfds.decode.SkipDecoding()})
    packed, labels, ids = [], [], []
    for batch in examples.batch(_READ_AT_ONCE).as_numpy_iterator():
        packed.append(np.frombuffer(b"".join(batch["volume"]), np.uint8).reshape(len(batch["volume"]), -1))
        labels.append(batch["label"])
        ids.append(np.array([name.decode() for name in batch["id"]]))
    names = tuple(builder.info.features["label"].names)
    if not packed:
        raise InputError(f"{builder.name}: the split '{split}' is empty; choose another.")
    shapes = ShapeSet(np.concatenate(packed), np.concatenate(labels), np.concatenate(ids), names, resolution)
    # TensorFlow Datasets stores examples in an order of its own.
    return shapes.take(np.argsort(shapes.ids))
