"""One door for every file that holds a shape.

Files are read, and meshes voxelised, in a child process with limits on time and memory: `keras3dgan.bounded`.
"""

import dataclasses
import os
import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras3dgan import bounded
from keras3dgan.bounded import Limits
from keras3dgan.errors import InputError
from keras3dgan.voxels import arrays, binvox, mesh, voxelize
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.lattice import grid_of_surface, placed_grid_of_surface
from keras3dgan.voxels.placement import Placement
from keras3dgan.voxels.pose import Y_UP, turn_back, up_of_tree

GRIDS = (".binvox", ".mat", ".npy", ".npz")
READABLE = (*mesh.READABLE, *GRIDS)
WRITABLE = (*mesh.WRITABLE, ".binvox", ".npy", ".npz")


def read_shape(
    path: str | os.PathLike[str],
    resolution: int,
    up: str = "auto",
    threshold: float | None = None,
    invert: bool = False,
    limits: Limits | None = Limits(),
) -> np.ndarray:
    """Reads any supported file as a grid of the wanted resolution.

    Meshes are voxelised solid; those that are the surface of a grid, as `write_shape` writes them, become that grid again.
    Grids that are at most an eighth smaller are centred in an empty border (ModelNet's 30^3 in 32^3, as the report's
    data), those at most an eighth larger lose empty layers, and others are resampled.

    Args:
        path: a mesh (`.off .obj .stl .ply .glb .gltf`), `.binvox`, `.mat`, `.npy` or `.npz`.
        resolution: n of the n^3 result.
        up: the axis that points up in the file: `z`, `y`, or `auto` (y for glTF and in trees of ShapeNet and 3D-R2N2, z
            otherwise).
        threshold: for `.mat`, `.npy` and `.npz`: values above it are occupied; default: 0.5, and the values must fit it.
        invert: for these files: low values are occupied instead, as in distances that are negative inside.
        limits: time and memory that it may take, in a child process; None: it is read in this process, without limits.

    Returns:
        `uint8` (resolution, resolution, resolution) of zeros and ones, z up, not all zeros.

    Raises:
        InputError: the file cannot be read, is of another kind, holds an empty grid or takes more than the limits; the message
            names it and the remedy.
    """
    return read(path, resolution, up, threshold, invert, limits).grid


class Shape(NamedTuple):
    """What a file holds.

    Attributes:
        grid: `uint8` (n, n, n), z up, as `read_shape` gives it.
        placement: where the grid lies in the units of a mesh; None for files that hold a grid.
        up: the axis that pointed up in the file where its format leaves that open: `z` or `y`.
        stored: n of the grid that the file holds, before it was padded, cropped or resampled; None for other meshes.

    Example:
        >>> write_shape("cube.obj", np.ones((32, 32, 32), np.uint8))
        >>> read("cube.obj", 32).grid.shape
        (32, 32, 32)
    """

    grid: np.ndarray
    placement: Placement | None
    up: str
    stored: int | None


def read(
    path: str | os.PathLike[str],
    resolution: int,
    up: str = "auto",
    threshold: float | None = None,
    invert: bool = False,
    limits: Limits | None = Limits(),
) -> Shape:
    """As `read_shape`, with what else the file tells."""
    if limits is not None:
        given = {"resolution": resolution, "up": up, "threshold": threshold, "invert": invert}
        told, grid = _read_bounded("packed_shape", path, given, limits)
        placement = told["placement"] and _placement(told["placement"])
        return Shape(grid, placement, told["up"], told["stored"])
    suffix = pathlib.Path(path).suffix.lower()
    up = up_of_tree(path) or up if up == "auto" else up
    if suffix in mesh.READABLE:
        return _read_mesh(path, resolution, up)
    grid = read_grid(path, up, threshold, invert, None)
    return Shape(fit_grid(grid, resolution, str(path)), None, "y" if up == "y" else "z", len(grid))


def fit_grid(grid: np.ndarray, resolution: int, name: str = "grid") -> np.ndarray:
    """A grid (n, n, n) at another resolution, as `read_shape` says.

    Raises:
        InputError: it is a little larger, and occupied to its border.
    """
    size = grid.shape[0]
    if size * 7 // 8 <= resolution < size and grids.crop(grid, resolution) is None:
        raise InputError(
            f"{name}: its {size}^3 voxels do not fit into {resolution}^3, and so little cannot be taken off; "
            f"save it at {resolution}^3 or at twice that."
        )
    return grids.fit(grid, resolution)


def read_grid(
    path: str | os.PathLike[str],
    up: str = "auto",
    threshold: float | None = None,
    invert: bool = False,
    limits: Limits | None = Limits(),
) -> np.ndarray:
    """Reads a file that holds a grid as it is: `uint8` (n, n, n) of zeros and ones, z up, not all zeros.

    Arguments and errors as `read_shape`.
    """
    if limits is not None:
        return _read_bounded("packed_grid", path, {"up": up, "threshold": threshold, "invert": invert}, limits)[1]
    suffix = pathlib.Path(path).suffix.lower()
    up = up_of_tree(path) or up if up == "auto" else up
    if suffix == ".binvox":
        grid = binvox.read_binvox(path).grid
    elif suffix == ".mat":
        grid = arrays.read_mat(path, threshold, invert)
    elif suffix in (".npy", ".npz"):
        grid = arrays.read_npy(path, threshold, invert)
    else:
        raise InputError(f"{path}: '{suffix}' files hold no shape that is read; use one of {', '.join(READABLE)}.")
    if not grid.any():
        raise InputError(
            f"{path}: its grid is empty, nothing is occupied; get the file again, or give another threshold."
        )
    return grids.y_up_to_z_up(grid) if up == "y" else grid


def start(paths: Sequence[str | os.PathLike[str]]) -> None:
    """Starts the child processes that will read these files, one a core, while this one has something else to do."""
    prepare = filter(None, {_preparation(path) for path in paths})
    bounded.start(__name__, *prepare, count=min(len(paths), len(os.sched_getaffinity(0))))


def _preparation(path: str | os.PathLike[str]) -> str | None:
    """What a child process does before it reads its first such file."""
    return f"{voxelize.__name__}:prepare" if pathlib.Path(path).suffix.lower() in mesh.READABLE else None


def _read_bounded(
    function: str, path: str | os.PathLike[str], given: dict[str, Any], limits: Limits
) -> tuple[dict[str, Any], np.ndarray]:
    """What one of the two functions below tells of a file, and the grid."""
    given["path"] = os.fspath(path)
    told, packed = bounded.call(f"{__name__}:{function}", given, str(path), limits, _preparation(path))
    return told, grids.unpack(np.frombuffer(packed, np.uint8), told["size"])


def _placement(told: dict[str, Any]) -> Placement:
    fields: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in told.items()
    }  # JSON has no tuples
    return Placement(**fields)


def packed_shape(**given: Any) -> tuple[dict[str, Any], bytes]:
    """`read` in this process, as a child process can tell it: what JSON can say, and the packed grid."""
    grid, placement, up, stored = read(**given, limits=None)
    placed = None if placement is None else dataclasses.asdict(placement)
    return {"size": len(grid), "placement": placed, "up": up, "stored": stored}, grids.pack(grid).tobytes()


def packed_grid(**given: Any) -> tuple[dict[str, Any], bytes]:
    """`read_grid` in this process, as `packed_shape`."""
    grid = read_grid(**given, limits=None)
    return {"size": len(grid)}, grids.pack(grid).tobytes()


def _read_mesh(path: str | os.PathLike[str], resolution: int, up: str) -> Shape:
    surface = mesh.read_mesh(path, up)
    whole = grid_of_surface(surface)
    if whole is not None:
        grid, placement = grids.fit(whole, resolution), Placement()
    else:
        placed = placed_grid_of_surface(surface, resolution, voxelize.default_margin(resolution))
        grid, placement = placed or voxelize.voxelize_placed(surface, resolution, name=str(path))
    turned = "y" if up == "y" and not mesh.is_y_up(path) else "z"
    return Shape(grid, placement, turned, None if whole is None else len(whole))


def check_writable(suffix: str, path: object = None) -> str:
    """A suffix as it is, with its dot, if files of its kind can be written.

    Args:
        suffix: with its dot.
        path: the file that it is of; default: the setting `format` gave it.

    Raises:
        InputError: they cannot.
    """
    if suffix.lower() in WRITABLE:
        return suffix
    known = ", ".join(WRITABLE)
    if path is None:
        raise InputError(f"'{suffix.removeprefix('.')}' is not written; use one of {known}.", "format")
    raise InputError(f"{path}: '{suffix}' is not written; use one of {known}.")


def write_shape(
    path: str | os.PathLike[str],
    occupancy: np.ndarray,
    threshold: float = 0.5,
    placement: Placement | None = None,
    up: str = "z",
) -> None:
    """Writes a shape in the format that the suffix names: `.obj .stl .ply .glb .binvox .npy .npz`.

    Args:
        path: the file; its folder is made.
        occupancy: (n, n, n) in [0, 1], z up.
        threshold: above it a voxel is occupied.
        placement: for meshes and `.binvox`: where the grid lies.
        up: the axis that is to point up, `z` or `y`, where the format leaves that open.

    Raises:
        InputError: another suffix, or a mesh of an empty grid is asked for.
    """
    suffix = check_writable(pathlib.Path(path).suffix, path).lower()
    if suffix in mesh.WRITABLE:
        mesh.write_mesh(path, occupancy, threshold, placement, up)
        return
    placement = placement or Placement()
    grid = (occupancy > threshold).astype(np.uint8)
    grid = turn_back(grid, Y_UP[0]) if up == "y" else grid
    if suffix == ".binvox":
        centre = mesh.stood(np.array([placement.centre]), up)[0]
        x, y, z = (centre - placement.side / 2).tolist()
        binvox.write_binvox(path, binvox.Binvox(grid, (x, y, z), placement.side))
    else:
        arrays.write_npy(path, grid)
