"""Solid voxelisation of triangle meshes, watertight or not."""

import numpy as np
import trimesh

from keras3dgan.errors import InputError

# About a minute of sampling; a mesh beyond it is made of huge overlapping triangles, not of a shape.
_MAX_SAMPLES = 500_000_000
_CHUNK_SAMPLES = 4_000_000


def voxelize(mesh: trimesh.Trimesh, resolution: int, margin: int | None = None, name: str = "mesh") -> np.ndarray:
    """Turns a mesh into a solid grid.

    The mesh is scaled, proportions kept, so that its longest side fills the grid but for the margin, and centred. Every
    voxel that the surface enters is occupied. Then the inside is filled by ray stabbing (Nooruddin and Turk 2003,
    "Simplification and repair of polygonal models using volumetric techniques"): a voxel is inside if along all three axes
    it has surface before and behind it. A hole in the mesh costs the column of voxels seen through it, whereas a flood
    fill from outside would run through the hole and empty the shape.

    Args:
        mesh: triangles, z up; need not be closed, oriented or connected.
        resolution: n of the n^3 grid.
        margin: empty voxels on each side; one in 32 unless told (1 at 32^3, 2 at 64^3).
        name: what to call the mesh in an error message.

    Returns:
        `uint8` (resolution, resolution, resolution) of zeros and ones.

    Raises:
        InputError: no extent, or an absurd amount of surface.
    """
    margin = resolution // 32 if margin is None else margin
    triangles = np.asarray(mesh.triangles, dtype=np.float64)
    low, high = triangles.min(axis=(0, 1)), triangles.max(axis=(0, 1))
    extent = (high - low).max()
    if not extent > 0 or not np.isfinite(extent):
        raise InputError(f"{name}: all its corners lie in one point; export the mesh again.")
    # A hair smaller, so that a face exactly between two voxels belongs to the one further inside.
    scale = (resolution - 2 * margin) / extent * (1 - 1e-6)
    triangles = (triangles - (low + high) / 2) * scale + resolution / 2
    shell = _surface_voxels(triangles, resolution, name)
    return (shell | _stabbed(shell)).astype(np.uint8)


def _surface_voxels(triangles: np.ndarray, resolution: int, name: str) -> np.ndarray:
    """Marks the voxels that hold a point of a lattice of half-voxel steps over every triangle, (f, 3, 3) in voxels."""
    edges = np.roll(triangles, -1, axis=1) - triangles
    lengths = np.linalg.norm(edges, axis=2)
    # The lattice is spanned by the two shorter edges, so that long thin triangles take few points.
    corner = (lengths.argmax(axis=1) + 2) % 3
    rows = np.arange(len(triangles))
    origin = triangles[rows, corner]
    u, v = edges[rows, corner], -edges[rows, (corner + 2) % 3]
    steps_u = np.ceil(2 * np.linalg.norm(u, axis=1)).astype(np.int64) + 1
    steps_v = np.ceil(2 * np.linalg.norm(v, axis=1)).astype(np.int64) + 1
    samples = (steps_u + 1) * (steps_v + 1)
    if samples.sum() > _MAX_SAMPLES:
        raise InputError(
            f"{name}: its triangles overlap so much that voxelising would take minutes; simplify the mesh."
        )
    shell = np.zeros((resolution,) * 3, dtype=bool)
    chunk = np.cumsum(samples) // _CHUNK_SAMPLES
    for part in np.split(rows, np.flatnonzero(np.diff(chunk)) + 1):
        triangle = np.repeat(part, samples[part])
        index = np.arange(len(triangle)) - np.repeat(np.cumsum(samples[part]) - samples[part], samples[part])
        i, j = np.divmod(index, steps_v[triangle] + 1)
        a, b = i / steps_u[triangle], j / steps_v[triangle]
        inside = a + b <= 1 + 1e-9
        triangle, a, b = triangle[inside], a[inside, None], b[inside, None]
        points = origin[triangle] + a * u[triangle] + b * v[triangle]
        voxel = np.floor(points).astype(np.intp)
        shell[voxel[:, 0], voxel[:, 1], voxel[:, 2]] = True
    return shell


def _stabbed(shell: np.ndarray) -> np.ndarray:
    """Voxels with surface on both sides along every axis."""
    inside = np.ones_like(shell)
    for axis in range(3):
        behind = np.logical_or.accumulate(shell, axis=axis)
        before = np.flip(np.logical_or.accumulate(np.flip(shell, axis), axis=axis), axis)
        inside &= behind & before
    return inside
