"""Refinement over several resolutions, each step by the model that knows it best."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras3dgan import codec
from keras3dgan.codec.octree import features
from keras3dgan.codec.shipped import BEST
from keras3dgan.errors import InputError

if TYPE_CHECKING:
    from keras3dgan.codec.octree.octree_codec import OctreeCodec


def refine(
    grids: np.ndarray,
    resolution: int,
    models: Sequence[str | os.PathLike[str]] = (),
    temperature: float = 0.8,
    seed: int = 1,
    likely: bool = False,
) -> np.ndarray:
    """Finer versions of shapes, that are the shapes again when pooled.

    Each doubling is made by the model of that resolution, or of the least above it.

    Args:
        grids: (count, m, m, m) of zeros and ones, m 8, 16 or further doubled.
        resolution: to reach, such a number too.
        models: octree models, by name or path; default: the best of the package, one of each resolution.
        temperature, seed, likely: as of `OctreeCodec.refine`.

    Returns:
        uint8 (count, resolution, resolution, resolution).

    Raises:
        InputError: no model knows a resolution.
    """
    return refine_by(load(models), grids, resolution, temperature, seed, likely)


def load(models: Sequence[str | os.PathLike[str]] = ()) -> list[OctreeCodec]:
    """The codecs of `refine`'s models."""
    return [codec.load(model) for model in models or BEST.values()]


def refine_by(
    codecs: Sequence[OctreeCodec],
    grids: np.ndarray,
    resolution: int,
    temperature: float = 0.8,
    seed: int = 1,
    likely: bool = False,
) -> np.ndarray:
    """As `refine`, by models that are loaded already."""
    known = features.levels(max(one.resolution for one in codecs))
    if not (grids.shape[1] in known and resolution in known and grids.shape[1] <= resolution):
        words = ", ".join(map(str, known))
        raise InputError(
            f"shapes are refined from one of {words} to another, not {grids.shape[1]} to {resolution}.", "resolution"
        )
    while grids.shape[1] < resolution:
        step = 2 * grids.shape[1]
        used = min((one for one in codecs if one.resolution >= step), key=lambda one: one.resolution)
        grids = used.refine(grids, step, temperature, seed, likely)
    return grids
