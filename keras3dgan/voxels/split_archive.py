"""Prepared shapes of all splits in one `.npz` file, one bit a voxel."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.shape_set import SPLITS, ShapeSet, read_arrays

_ARRAYS = ("packed", "labels", "ids", "splits", "class_names")
_FORM = f"a prepared archive has {', '.join(_ARRAYS)}"
# Shapes that are resampled together, which bounds the memory that unpacking takes.
_AT_ONCE = 256


def holds_splits(path: str | os.PathLike[str]) -> bool:
    """Whether a file is such an archive, and not one with `X_train`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "packed.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def write(
    path: str | os.PathLike[str], shapes: ShapeSet, splits: np.ndarray, more: Mapping[str, np.ndarray] | None = None
) -> None:
    """Writes shapes with the splits that they belong to.

    Args:
        path: the `.npz` file.
        shapes: of all splits.
        splits: (count,) strings, `train`, `validation` or `test`.
        more: further arrays, one entry a shape, which `read` leaves alone, such as licences.
    """
    content: dict[str, Any] = {
        "packed": shapes.packed,
        "labels": shapes.labels,
        "ids": shapes.ids,
        "splits": splits,
        "class_names": np.array(shapes.class_names),
        **(more or {}),
    }
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **content)


def read(path: str | os.PathLike[str], split: str, resolution: int) -> ShapeSet:
    """The shapes of a split.

    Args:
        path: a file that `write` wrote.
        split: `train`, `validation` or `test`.
        resolution: n of the result; grids that are larger are max-pooled.

    Raises:
        InputError: the file is missing, damaged, of another form, or holds smaller grids.
    """
    packed, labels, ids, splits, names = read_arrays(path, *_ARRAYS, form=_FORM)
    count = len(packed)
    size = round((8 * packed.shape[-1]) ** (1 / 3)) if packed.ndim == 2 else 0
    if not (
        packed.dtype == np.uint8
        and 0 < size <= grids.MAX_RESOLUTION
        and packed.shape == (count, grids.packed_size(size))
        and all(each.shape == (count,) for each in (labels, ids, splits))
        and all(each.dtype.kind == "U" and each.ndim == 1 for each in (ids, splits, names))
        and labels.dtype.kind in "iu"
    ):
        raise InputError(f"{path}: its arrays do not fit together; {_FORM}, one row a shape.")
    if count and not (0 <= labels.min() <= labels.max() < len(names) and np.isin(splits, SPLITS).all()):
        raise InputError(f"{path}: has a label without a name, or a split that is none of {', '.join(SPLITS)}.")
    if size < resolution:
        raise InputError(f"{path}: holds grids of {size}^3; give resolution {size}.", "resolution")
    chosen = np.flatnonzero(splits == split)
    if not len(chosen):
        raise InputError(f"{path}: holds no shape of the split '{split}'; choose another.")
    packed = packed[chosen] if size == resolution else pooled(packed[chosen], size, resolution)
    return ShapeSet(packed, labels[chosen].astype(np.int64), ids[chosen], tuple(names.tolist()), resolution)


def pooled(packed: np.ndarray, size: int, resolution: int) -> np.ndarray:
    """Packed grids of `size`^3 as packed grids of `resolution`^3."""
    parts = [
        grids.pack(
            np.stack([grids.resample(grid, resolution) for grid in grids.unpack(packed[at : at + _AT_ONCE], size)])
        )
        for at in range(0, len(packed), _AT_ONCE)
    ]
    return np.concatenate(parts)
