"""Compression of shapes: `load` gives a codec, whose `encode` and `decode` turn grids into `.g3c` streams and back."""

from __future__ import annotations

import functools
import json
import os
import pathlib
from typing import TYPE_CHECKING

from keras3dgan.codec.goals import Goal
from keras3dgan.errors import InputError

if TYPE_CHECKING:
    from keras3dgan.codec.shape_codec import ShapeCodec

__all__ = ["DEFAULT", "Goal", "load", "octree_file", "shipped", "shipped_as"]

# Models that come with the package.
_SHIPPED = pathlib.Path(__file__).parent / "shipped"
DEFAULT = "octree32"


def shipped() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(path.stem for path in _SHIPPED.glob("*.npz"))


def shipped_as(fingerprint: bytes) -> str | None:
    """The name of the model of the package whose fingerprint begins so; None if there is none."""
    return next((name for name, whole in _fingerprints().items() if whole.startswith(fingerprint)), None)


@functools.cache
def _fingerprints() -> dict[str, bytes]:
    """Those of the models of the package, which are read whole for it: once, not for each of many foreign streams."""
    return {name: load(name).model for name in shipped()}


def octree_file(name_or_path: str | os.PathLike[str]) -> pathlib.Path | None:
    """The file of the octree model that is meant, None where it is another kind of model, which needs Keras.

    Raises:
        InputError: there is no such model.
    """
    path = pathlib.Path(name_or_path)
    if str(name_or_path) in shipped():
        return _SHIPPED / f"{name_or_path}.npz"
    if path.suffix == ".npz" and path.is_file():
        return path
    if not (path / "config.json").is_file():
        known = ", ".join(shipped())
        raise InputError(f"--model: {path} is no training run and no octree .npz; give one, or a name: {known}.")
    try:
        kind = json.loads((path / "config.json").read_text())["kind"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path / 'config.json'}: cannot be read; choose another run.") from error
    if kind != "octree":
        return None
    if not (path / "models" / "octree.npz").is_file():
        raise InputError(f"{path}: no trained octree model here (octree.npz is missing); train one first.")
    return path / "models" / "octree.npz"


def load(name_or_path: str | os.PathLike[str] = DEFAULT, goal: Goal = Goal()) -> ShapeCodec:
    """Loads a codec.

    Args:
        name_or_path: a model that comes with the package (`shipped`), the `.npz` of an octree model, or the run directory of
            `train_octree`, `train_compressor` or `train_autoencoder`.
        goal: what streams are to reach. Unless told, every voxel exact with an octree model, else the model's first rate.

    Raises:
        InputError: no such model, it is damaged, or its training has not finished.
    """
    file = octree_file(name_or_path)
    if file is None:
        from keras3dgan.codec.neural import NeuralCodec

        return NeuralCodec.load(str(name_or_path), goal)
    from keras3dgan.codec.octree.model import OctreeModel
    from keras3dgan.codec.octree_codec import OctreeCodec

    return OctreeCodec(OctreeModel.load(file), goal)
