"""The archive beside this file: one bit a voxel at 64^3."""

from __future__ import annotations

import pathlib

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.shape_set import ShapeSet, own_split

ARCHIVE = pathlib.Path(__file__).parent / "furniture_64.npz"
# Pictures of a few models of the test split, by `pictures.build_furniture_pictures`.
PICTURES = pathlib.Path(__file__).parent / "pictures"
RESOLUTIONS = (32, 64)


def class_names() -> list[str]:
    """The classes that labels count."""
    with ARCHIVE.open("rb") as file, np.load(file) as content:
        return content["class_names"].tolist()


def read(split: str, resolution: int) -> ShapeSet:
    """The shapes of a split, by id; at 32^3 max-pooled from 64^3.

    The source has no official split. Shapes whose 32^3 grids are equal share a split: a tenth is `validation`, a fifth
    `test`.

    Raises:
        InputError: it is neither 32 nor 64.
    """
    if resolution not in RESOLUTIONS:
        raise InputError(f"furniture_voxels holds no grids of {resolution}^3; choose resolution 32 or 64.", "dataset")
    with ARCHIVE.open("rb") as file, np.load(file) as content:
        packed, labels, ids, names = (content[name] for name in ("packed", "labels", "ids", "class_names"))
    volumes = grids.unpack(packed, RESOLUTIONS[-1])
    small = np.stack([grids.resample(volume, RESOLUTIONS[0]) for volume in volumes])
    of_split = [own_split(row.tobytes().hex()) == split for row in grids.pack(small)]
    chosen = packed if resolution == RESOLUTIONS[-1] else grids.pack(small)
    shapes = ShapeSet(chosen, labels.astype(np.int64), ids, tuple(names.tolist()), resolution)
    return shapes.take(np.flatnonzero(of_split)[np.argsort(ids[of_split])])


def picture_file(name: str) -> pathlib.Path:
    """Where the picture of a shape with this id lies, if there is one."""
    return PICTURES / f"{name.replace('/', '-')}.png"
