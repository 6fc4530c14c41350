"""Where a mesh lies in its grid: what carries surface decides it, and nothing else."""

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.placement import Placement

# Corners this near to a border between voxels, in voxels, lie on it; more where the file is less precise, up to a limit.
_SNAP, _MAX_SNAP = 1e-4, 0.1


def framed(
    triangles: np.ndarray, resolution: int, margin: int, name: str, rounding: float = 0.0
) -> tuple[np.ndarray, Placement]:
    """Brings triangles into a grid: scaled, proportions kept, so that the longest side fills it but for the margin, centred.

    Args:
        triangles: (m, 3, 3), in any units.
        resolution: n of the n^3 grid.
        margin: empty voxels on each side.
        name: what to call the mesh in an error message.
        rounding: what a compression may have moved each corner by, as a share of the longest side.

    Returns:
        The triangles that have an area, float64 (k, 3, 3) in voxels, corners beside a border on it; and where the grid lies
        in the units of the mesh.

    Raises:
        InputError: there is no extent or no surface.
    """
    triangles = np.asarray(triangles, dtype=np.float64)
    low, extent = _extent(triangles)
    far = float(np.abs(triangles).max())
    if not extent > 0 or not np.isfinite(extent):
        raise InputError(f"{name}: all its corners lie in one point, or infinitely far apart; export the mesh again.")
    # In the unit cube, because squares of very large or very small numbers are no numbers any more.
    triangles = triangles[_have_area((triangles - low) / extent, far / extent)]
    if not len(triangles):
        raise InputError(f"{name}: none of its faces has an area; export it as a mesh, not as points or lines.")
    low, extent = _extent(triangles)
    size = (box(triangles)[1] - low) / extent
    filled = resolution - 2 * margin
    corners = ((triangles - low) / extent - size / 2) * filled + resolution / 2
    stored = np.finfo(np.float32 if _is_single(triangles) else np.float64).epsneg * np.abs(triangles).max() / extent
    nearest = np.round(corners)
    near = np.abs(corners - nearest) <= np.clip(2 * max(rounding, stored) * filled, _SNAP, _MAX_SNAP)
    x, y, z = (low + size * extent / 2).tolist()
    return np.where(near, nearest, corners), Placement((x, y, z), extent * resolution / filled)


def box(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and greatest coordinates (3,) of triangles (m, 3, 3)."""
    # numpy takes 15 times as long for rows of three.
    columns = np.ascontiguousarray(triangles.reshape(-1, 3).T)
    return columns.min(axis=1), columns.max(axis=1)


def _is_single(triangles: np.ndarray) -> bool:
    """Whether the coordinates were stored as float32: rounding to it changes none."""
    with np.errstate(over="ignore"):
        return bool((triangles.astype(np.float32) == triangles).all())


def _extent(triangles: np.ndarray) -> tuple[np.ndarray, float]:
    low, high = box(triangles)
    return low, float((high - low).max())


def _have_area(triangles: np.ndarray, distance: float) -> np.ndarray:
    """Whether a triangle is higher than the rounding error of its corners.

    Args:
        triangles: (m, 3, 3) in the unit cube.
        distance: of the furthest corner from the origin of its file, in the same unit: it is rounded most.
    """
    edges = np.roll(triangles, -1, axis=1) - triangles
    longest = np.sqrt((edges**2).sum(axis=2).max(axis=1))
    doubled = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    return doubled > 8 * np.finfo(float).eps * distance * longest
