"""Surfaces of grids, told from their geometry, back into the grid that they came from."""

import numpy as np
import trimesh

from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.placement import Placement

# Float32 coordinates of the unit cube at 512^3 are this precise, in voxels.
_TOLERANCE = 1e-3
# Where the surface inside a cube is ambiguous, marching cubes (Lewiner et al. 2003) adds a vertex inside it.
_MIN_SHARE = 0.5
# A voxel is occupied where a surface enters it at all, if only at a corner. The face between it and an empty voxel is up to
# sqrt(1 + 1/2) voxels away from there; at this level of 0 to 1 it is at most 1: (1.5 - level)^2 + 1/2 <= 1.
PLACED_LEVEL = 0.8


def grid_of_surface(mesh: trimesh.Trimesh) -> np.ndarray | None:
    """The grid whose surface by marching cubes a mesh is, or None where it is none.

    Such a surface lies in the cube [-0.5, 0.5]^3, or less than half a voxel outside. Its vertices lie on the lines between
    the centres of neighbouring voxels, one wherever occupied and empty meet. So two coordinates of each vertex tell its
    line, the third the change on it, and the changes along x, along y and along z must all tell the same grid.

    Args:
        mesh: as `keras3dgan.voxels.mesh.surface` makes it, at any resolution up to 512.

    Returns:
        `uint8` (n, n, n), or None.
    """
    vertices = np.asarray(mesh.vertices)[np.unique(mesh.faces)] + 0.5
    if vertices.min() < -0.25 or vertices.max() > 1.25:  # half a voxel of 2^3 outside, where probabilities end abruptly
        return None
    for resolution in _candidates(vertices):
        grid = _grid(vertices * resolution - 0.5, resolution)
        if grid is not None:
            return grid
    return None


def placed_grid_of_surface(mesh: trimesh.Trimesh, resolution: int, margin: int) -> tuple[np.ndarray, Placement] | None:
    """The grid whose placed surface a mesh is, if it came from voxelising a mesh: its longest side fills the grid.

    Args:
        mesh: as `keras3dgan.voxels.mesh.write_mesh` writes a grid of zeros and ones with a placement.
        resolution: n of the n^3 grid.
        margin: empty voxels on each side.

    Returns:
        The grid, `uint8` (n, n, n), and where it lies; or None.
    """
    vertices = np.asarray(mesh.vertices)[np.unique(mesh.faces)]
    low, extent = vertices.min(axis=0), np.ptp(vertices, axis=0)
    rim = 1 - PLACED_LEVEL  # how far beyond a voxel's centre its outer face lies
    filled = resolution - 2 * margin
    for longest in range(filled, max(filled - 3, 1), -1):  # a tip that only touches its voxel leaves it empty
        step = extent.max() / (longest - 1 + 2 * rim)
        size = np.round(extent / step + 1 - 2 * rim).astype(np.int64)
        start = (resolution - size) // 2
        grid = _grid((vertices - low) / step - rim + start, resolution) if size.min() > 0 else None
        if grid is not None:
            x, y, z = (low + step * (rim - start + (resolution - 1) / 2)).tolist()
            return grid, Placement((x, y, z), float(step * resolution))
    return None


def _candidates(vertices: np.ndarray) -> list[int]:
    """The n for which, of most vertices of a sample, two coordinates are centres of n voxels."""
    sample = vertices[np.linspace(0, len(vertices) - 1, 64).astype(int)]
    counts = np.arange(2, grids.MAX_RESOLUTION + 1)
    voxels = sample * counts[:, None, None] - 0.5
    return counts[(_on_centre(voxels).sum(axis=2) == 2).mean(axis=1) > _MIN_SHARE].tolist()


def _on_centre(voxels: np.ndarray) -> np.ndarray:
    return np.abs(voxels - np.round(voxels)) < _TOLERANCE


def _grid(voxels: np.ndarray, resolution: int) -> np.ndarray | None:
    """The grid of this resolution that vertices tell, in voxels with whole numbers at the centres, if they tell one."""
    on_centre = _on_centre(voxels)
    on_line = on_centre.sum(axis=1) == 2
    if on_line.mean() <= _MIN_SHARE:
        return None
    voxels, on_centre = voxels[on_line], on_centre[on_line]
    nearest = np.round(voxels).astype(np.int64)
    found = [_from_changes(voxels, nearest, on_centre, axis, resolution) for axis in range(3)]
    if found[0] is None or any(grid is None or (grid != found[0]).any() for grid in found[1:]):
        return None
    return found[0]


def _from_changes(
    voxels: np.ndarray, nearest: np.ndarray, on_centre: np.ndarray, axis: int, resolution: int
) -> np.ndarray | None:
    """The grid that the vertices between centres along one axis tell, or None where a line does not end empty."""
    chosen = ~on_centre[:, axis]
    lines = [nearest[chosen, other] for other in range(3) if other != axis]
    step = np.floor(voxels[chosen, axis]).astype(np.int64) + 1  # the first voxel behind the change
    if any(line.min(initial=0) < 0 or line.max(initial=0) >= resolution for line in lines):
        return None
    if step.min(initial=0) < 0 or step.max(initial=0) > resolution:
        return None
    change = np.zeros((resolution, resolution, resolution + 1), bool)
    change[lines[0], lines[1], step] = True
    filled = np.logical_xor.accumulate(change, axis=2)
    if filled[..., -1].any():
        return None
    return np.ascontiguousarray(np.moveaxis(filled[..., :-1], 2, axis)).astype(np.uint8)
