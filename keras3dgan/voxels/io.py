"""One door for every file that holds a shape."""

import os
import pathlib

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels import arrays, binvox, mesh
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.voxelize import voxelize

READABLE = (*mesh.READABLE, ".binvox", ".mat", ".npy", ".npz")
WRITABLE = (*mesh.WRITABLE, ".binvox", ".npy", ".npz")


def read_shape(path: str | os.PathLike[str], resolution: int, up: str = "auto") -> np.ndarray:
    """Reads any supported file as a grid of the wanted resolution.

    Meshes are voxelised solid. Grids that are smaller are centred in an empty border where that is at most an eighth
    (ModelNet's 30^3 in 32^3, as the report's data), and resampled otherwise.

    Args:
        path: a mesh (`.off .obj .stl .ply .glb .gltf`), `.binvox`, `.mat`, `.npy` or `.npz`.
        resolution: n of the n^3 result.
        up: the axis that points up in the file: `z`, `y`, or `auto` (y for glTF, z otherwise).

    Returns:
        `uint8` (resolution, resolution, resolution) of zeros and ones, z up.

    Raises:
        InputError: the file cannot be read or is of another kind; the message names it and the remedy.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix in mesh.READABLE:
        return voxelize(mesh.read_mesh(path, up), resolution, name=str(path))
    if suffix == ".binvox":
        grid = binvox.read_binvox(path).grid
    elif suffix == ".mat":
        grid = arrays.read_mat(path)
    elif suffix in (".npy", ".npz"):
        grid = arrays.read_npy(path)
    else:
        raise InputError(f"{path}: '{suffix}' files hold no shape that is read; use one of {', '.join(READABLE)}.")
    return grids.fit(grids.y_up_to_z_up(grid) if up == "y" else grid, resolution)


def write_shape(path: str | os.PathLike[str], occupancy: np.ndarray, threshold: float = 0.5) -> None:
    """Writes a shape in the format that the suffix names: `.obj .stl .ply .glb .binvox .npy .npz`.

    Args:
        path: the file; its folder is made.
        occupancy: (n, n, n) in [0, 1], z up.
        threshold: above it a voxel is occupied.

    Raises:
        InputError: another suffix, or a mesh of an empty grid is asked for.
    """
    suffix = pathlib.Path(path).suffix.lower()
    if suffix in mesh.WRITABLE:
        mesh.write_mesh(path, occupancy, threshold)
    elif suffix == ".binvox":
        binvox.write_binvox(path, binvox.Binvox((occupancy > threshold).astype(np.uint8)))
    elif suffix in (".npy", ".npz"):
        arrays.write_npy(path, occupancy > threshold)
    else:
        raise InputError(f"{path}: '{suffix}' is no format that is written; use one of {', '.join(WRITABLE)}.")
