"""Model files to grids of 128^3, each once: what came of a file is kept in a folder."""

from __future__ import annotations

import hashlib
import pathlib
import zlib

import numpy as np
import trimesh

from keras3dgan.datasets.open_shapes_voxels.limited import LimitedCalls
from keras3dgan.datasets.open_shapes_voxels.packages import Model
from keras3dgan.datasets.open_shapes_voxels.readers import READERS
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.mesh import MAX_FACES
from keras3dgan.voxels.voxelize import voxelize

RESOLUTION = 128
_SECONDS, _MEMORY = 20.0, 8 << 30
# What is thinner, in voxels, or has fewer faces, is a picture on a board and no shape.
_MIN_THICKNESS, _MIN_FACES = 4, 8
# Columns: the file's axes in those of a grid.
_AXES = {
    "z": np.eye(3),
    "y": np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    "y left": np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]]),
}


class Voxelizer:
    """Voxelises model files in a process of its own with limits, and keeps the results.

    Args:
        folder: where they are kept; what is there is not made again.
    """

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        self._names: dict[Model, str] = {}
        self._calls = LimitedCalls(voxelize_model, _warm_up, _SECONDS, _MEMORY)

    def __enter__(self) -> Voxelizer:
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.__exit__()

    def file(self, model: Model) -> pathlib.Path:
        """Where a model's grid is kept: by the file's content, so that another version of a package is read anew."""
        if model not in self._names:
            kind = f"{model.suffix} {model.package.axes} ".encode()
            self._names[model] = hashlib.sha256(kind + model.content()).hexdigest()
        name = self._names[model]
        return self._folder / name[:2] / f"{name}.grid"

    def grid(self, model: Model) -> np.ndarray:
        """The model's grid, `uint8` (128, 128, 128).

        Raises:
            InputError: there is none, and why; the same each time.
        """
        kept = self.file(model)
        failed = kept.with_suffix(".failed")
        if failed.is_file():
            raise InputError(failed.read_text(encoding="utf-8"))
        if kept.is_file():
            return read(kept, RESOLUTION)
        try:
            packed = self._calls(model.content(), model.suffix, model.package.axes)
        except InputError as error:
            with replacing(failed) as temporary:
                temporary.write_text(str(error), encoding="utf-8")
            raise
        with replacing(kept) as temporary:
            temporary.write_bytes(packed)
        return read(kept, RESOLUTION)


def read(kept: pathlib.Path, resolution: int) -> np.ndarray:
    """The grid in a file of `Voxelizer`, (n, n, n); below 128^3 max-pooled."""
    packed = np.frombuffer(zlib.decompress(kept.read_bytes()), np.uint8)
    return grids.resample(grids.unpack(packed, RESOLUTION), resolution)


def voxelize_model(content: bytes, suffix: str, axes: str) -> bytes:
    """The compressed, packed grid of a model file's content.

    Args:
        content: of the file.
        suffix: of its name, in lower case.
        axes: as `Package.axes`.

    Raises:
        InputError: the file cannot be read, or is no shape.
    """
    mesh = read_upright(content, suffix, axes)
    if not _MIN_FACES <= len(mesh.faces) <= MAX_FACES:
        raise InputError(f"it: has {'few' if len(mesh.faces) < _MIN_FACES else 'too many'} faces.")
    grid = voxelize(mesh, RESOLUTION, name="it")
    if min(np.ptp(axis) + 1 for axis in np.nonzero(grid)) < _MIN_THICKNESS:
        raise InputError("it: is flat.")
    return zlib.compress(grids.pack(grid).tobytes())


def read_upright(content: bytes, suffix: str, axes: str) -> trimesh.Trimesh:
    """The mesh in a model file's content, z up; arguments and errors as `voxelize_model`."""
    vertices, faces, _ = READERS[suffix](content, "it")
    return trimesh.Trimesh(vertices @ _AXES[axes], faces, process=False)


def _warm_up() -> None:
    voxelize(trimesh.creation.icosphere(1), RESOLUTION)
    voxelize(trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [0, 1, 1]], [[0, 1, 2]], process=False), RESOLUTION)
