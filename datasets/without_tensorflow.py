"""What can be read of the data sets where there is no TensorFlow, and so no TensorFlow Datasets."""

from __future__ import annotations

from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.errors import InputError
from keras3dgan.voxels.shape_set import ShapeSet


def load_shapes(
    dataset: str, split: str, resolution: int = 32, data_dir: str | None = None, manual_dir: str | None = None
) -> ShapeSet:
    """As `builders.load_shapes`, for `furniture_voxels` alone: the same shapes in the same order."""
    del data_dir, manual_dir
    if dataset not in ("furniture_voxels", f"furniture_voxels/{resolution}"):
        raise InputError(
            f"{dataset} is read by TensorFlow Datasets; type pip install '.[cpu]' in the checkout, or give "
            "furniture_voxels or a .npz file.",
            "dataset",
        )
    return bundled.read(split, resolution)
