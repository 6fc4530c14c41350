"""Compression of shapes: `load` gives a codec, whose `encode` and `decode` turn grids into `.g3c` streams and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from keras3dgan.codec.goals import Goal
from keras3dgan.codec.shipped import DEFAULT, DRAWN_FROM, octree_file, shipped

if TYPE_CHECKING:
    from keras3dgan.codec.octree.octree_codec import OctreeCodec

__all__ = ["DEFAULT", "DRAWN_FROM", "Goal", "load", "shipped"]


def load(name_or_path: str | os.PathLike[str] = DEFAULT, goal: Goal = Goal()) -> OctreeCodec:
    """Loads the codec of an octree model; `recipes.load_codec` loads those of training runs too.

    Args:
        name_or_path: a model that comes with the package (`shipped`), or the `.npz` of an octree model.
        goal: what streams are to reach; default: every voxel exact.

    Raises:
        InputError: no such model, or it is damaged.
    """
    from keras3dgan.codec.octree.model import OctreeModel
    from keras3dgan.codec.octree.octree_codec import OctreeCodec  # here: numba takes a moment to import

    return OctreeCodec(OctreeModel.load(octree_file(name_or_path)), goal)
