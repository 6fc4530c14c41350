"""What most programs need: shapes to bytes, bytes to shapes, and new shapes. Without TensorFlow."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence

import numpy as np

from keras3dgan import codec
from keras3dgan.codec import container
from keras3dgan.codec.goals import Goal
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.codec.shipped import shipped_as
from keras3dgan.errors import InputError
from keras3dgan.voxels import io

# What a program calls again and again is loaded once.
_codec: Callable[..., OctreeCodec] = functools.lru_cache(maxsize=8)(codec.load)


def compress(
    shape: np.ndarray | str | os.PathLike[str],
    model: str = codec.DEFAULT,
    *,
    bytes: int | None = None,
    min_iou: float | None = None,
    up: str = "auto",
) -> bytes:
    """A shape as the content of a `.g3c` file, without position and scale, by default with every voxel exact.

    Args:
        shape: a grid (n, n, n) of zeros and ones, z up, n as the model's; or a file that `voxels.io.read_shape` takes.
        model: a shipped model's name, or the `.npz` of an octree model.
        bytes: take at most so many, with the greatest IoU.
        min_iou: reach at least this IoU, in the fewest bytes.
        up: of a file: the axis that points up in it, `z`, `y` or `auto`.

    Raises:
        InputError: the file cannot be read, no such model, or a goal out of reach.
        ValueError: a grid of another size.

    Example:
        >>> import keras3dgan, numpy as np
        >>> grid = np.zeros((32, 32, 32), np.uint8)
        >>> grid[8:24, 8:24, 4:6] = 1
        >>> len(keras3dgan.compress(grid)) < 40
        True
    """
    used = _codec(model, Goal(bytes=bytes, min_iou=min_iou))
    grid = shape if isinstance(shape, np.ndarray) else io.read_shape(shape, used.resolution, up)
    return used.encode(grid)


def decompress(stream: bytes | str | os.PathLike[str], model: str | None = None) -> np.ndarray:
    """The shape in a `.g3c` file.

    Args:
        stream: the file's content, or its path.
        model: the model that wrote it; default: the shipped one that did.

    Returns:
        uint8 (n, n, n) of zeros and ones, z up.

    Raises:
        InputError: damaged, not there, or written by another model.

    Example:
        >>> import keras3dgan, numpy as np
        >>> grid = np.zeros((32, 32, 32), np.uint8)
        >>> grid[8:24, 8:24, 4:6] = 1
        >>> bool((keras3dgan.decompress(keras3dgan.compress(grid)) == grid).all())
        True
    """
    if isinstance(stream, str | os.PathLike):
        stream = container.read(stream)
    used = _codec(model or shipped_as(container.fingerprint(stream)) or codec.DEFAULT)
    return (used.decode(stream) > 0.5).astype(np.uint8)


def generate(
    count: int = 1,
    model: str = codec.DRAWN_FROM,
    *,
    classes: str | Sequence[str] = (),
    temperature: float = 0.8,
    seed: int = 1,
) -> np.ndarray:
    """New shapes, drawn from a model; the same from the same seed on every machine.

    Args:
        count: how many, at least 1.
        model: a shipped model's name, or the `.npz` of an octree model.
        classes: only shapes like those of this class, e.g. `chair`, or of these; default: all.
        temperature: 0.1 to 10; below 1 likelier shapes.
        seed: other seeds give other shapes.

    Returns:
        uint8 (count, n, n, n) of zeros and ones, z up.

    Raises:
        InputError: no such model or class, or a number out of its range.

    Example:
        >>> import keras3dgan
        >>> keras3dgan.generate(2, classes=["chair"]).shape
        (2, 32, 32, 32)
    """
    if count < 1:
        raise InputError(f"must be at least 1, got {count}.", "count")
    return _codec(model).sample(count, temperature, seed, [classes] if isinstance(classes, str) else classes)
