"""Meshes in, by `keras3dgan.voxels.readers`, and out, by trimesh; surfaces of grids, by scikit-image's marching cubes."""

import os
import pathlib

import numpy as np
import trimesh

from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels.lattice import PLACED_LEVEL
from keras3dgan.voxels.placement import Placement
from keras3dgan.voxels.readers import MAX_FACES, MAX_FILE_BYTES, gltf, obj, off, ply, stl

READABLE = (".off", ".obj", ".stl", ".ply", ".glb", ".gltf")
WRITABLE = (".obj", ".stl", ".ply", ".glb")
# How far a surface keeps from the centres of voxels, in voxels and at least half of it.
_CLEARANCE = 0.02

# The glTF specification fixes y as up; the other formats leave it to the author.
Y_UP = (".glb", ".gltf")
Y_UP_TO_Z_UP = np.array([[1, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=float)


_READERS = {".off": off, ".obj": obj, ".stl": stl, ".ply": ply, ".glb": gltf, ".gltf": gltf}


def read_mesh(path: str | os.PathLike[str], up: str = "auto", max_faces: int = MAX_FACES) -> trimesh.Trimesh:
    """Reads the triangles of a mesh file, all parts of a scene in one.

    Args:
        path: `.off` (ModelNet's `OFF490 ...` included), `.obj`, `.stl`, `.ply`, `.glb` or `.gltf`.
        up: the axis that points up in the file: `z`, `y`, or `auto` (y for glTF, z otherwise).
        max_faces: refuse more triangles than this.

    Returns:
        The mesh, z up, unprocessed; `metadata['rounding']` is what compression moved its vertices by, of the longest side.

    Raises:
        InputError: the file is missing, empty, damaged, cut off or too large, has no faces, needs something that is not
            read, or has corners that are not finite. The sentence says which.
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in READABLE:
        raise InputError(
            f"{path}: '{suffix}' is no mesh format that is read; convert it to one of {', '.join(READABLE)}."
        )
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise InputError(f"{path}: larger than {MAX_FILE_BYTES >> 20} MiB; simplify the mesh first.")
    content = path.read_bytes()
    if not content.strip():
        raise InputError(f"{path}: is an empty file; get it again.")
    surface = _READERS[suffix].read(content, path)
    _check(surface.vertices, surface.faces, max_faces, path)
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False, metadata={"rounding": surface.rounding})
    return mesh.apply_transform(Y_UP_TO_Z_UP) if up == "y" or (up == "auto" and is_y_up(path)) else mesh


def _check(vertices: np.ndarray, faces: np.ndarray, max_faces: int, path: pathlib.Path) -> None:
    if not len(faces):
        raise InputError(f"{path}: has no faces; export it as a mesh, not as points or lines.")
    if len(faces) > max_faces:
        raise InputError(f"{path}: {len(faces)} faces are more than the {max_faces} allowed; simplify the mesh first.")
    finite = np.isfinite(vertices).all(axis=1)
    if not finite.all() and not finite[faces].all():
        raise InputError(f"{path}: has coordinates that are NaN or infinite; repair the mesh and export it again.")


def surface(occupancy: np.ndarray, threshold: float = 0.5) -> trimesh.Trimesh:
    """The surface of a grid by marching cubes (Lorensen and Cline 1987).

    Args:
        occupancy: (n, n, n) in [0, 1]; probabilities give a smoother surface than zeros and ones.
        threshold: the level that separates empty from occupied.

    Returns:
        A closed mesh in the cube [-0.5, 0.5]^3, z up; without faces where nothing is occupied.
    """
    from skimage.measure import marching_cubes  # here: slow to import

    size = occupancy.shape[0]
    # No vertex comes near a voxel's centre, so that the surface tells on which side each centre lies.
    room = _CLEARANCE * max(threshold, 1 - threshold)
    clear = np.where(
        occupancy > threshold, np.maximum(occupancy, threshold + room), np.minimum(occupancy, threshold - room)
    )
    padded = np.pad(clear.astype(np.float32), 1)
    if not padded.max() > threshold:
        return trimesh.Trimesh()
    # "ascent" winds the faces so that their normals point out of the occupied side.
    vertices, faces, _, _ = marching_cubes(padded, level=threshold, gradient_direction="ascent")
    # Voxel i of the grid is i + 1 here and has its centre at (i + 0.5) / n.
    return trimesh.Trimesh((vertices - 0.5) / size - 0.5, faces, process=False)


def write_mesh(
    path: str | os.PathLike[str],
    occupancy: np.ndarray,
    threshold: float = 0.5,
    placement: Placement | None = None,
    up: str = "z",
) -> None:
    """Writes the surface of a grid as `.obj`, `.stl`, `.ply` or `.glb` (turned y up there, as glTF demands).

    Args:
        path: the file; its folder is made.
        occupancy: (n, n, n) in [0, 1], z up.
        threshold: above it a voxel is occupied.
        placement: where the grid lies; default: it fills the cube [-0.5, 0.5]^3. With one, the surface of a grid of zeros
            and ones is less than a voxel away from the mesh that was voxelised, everywhere.
        up: the axis that is to point up, `z` or `y`; `.glb` has y up whatever this says.

    Raises:
        InputError: another suffix, or nothing in the grid is occupied.
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in WRITABLE:
        raise InputError(f"{path}: '{suffix}' is no mesh format that is written; use one of {', '.join(WRITABLE)}.")
    if placement is not None and np.isin(occupancy, (0, 1)).all():
        threshold = PLACED_LEVEL
    mesh = surface(occupancy, threshold)
    if mesh.is_empty:
        raise InputError(f"{path}: the shape is empty, so it has no surface; write it as .npy or .binvox instead.")
    if placement is not None:
        mesh.vertices = placement.place(mesh.vertices)
    if is_y_up(path):
        mesh.apply_transform(Y_UP_TO_Z_UP.T)
    else:
        mesh.vertices = stood(mesh.vertices, up)
    with replacing(path) as temporary:
        mesh.export(temporary)


def is_y_up(path: str | os.PathLike[str]) -> bool:
    """Whether the format of a file fixes y as up."""
    return pathlib.Path(path).suffix.lower() in Y_UP


def stood(points: np.ndarray, up: str) -> np.ndarray:
    """Points (n, 3), z up, in the axes of a file in which `up`, `z` or `y`, points up."""
    return points @ Y_UP_TO_Z_UP[:3, :3] if up == "y" else points
