"""Solid voxelisation of triangle meshes, watertight or not."""

import numpy as np
import trimesh

from keras3dgan.errors import InputError
from keras3dgan.voxels import rasterize
from keras3dgan.voxels.frame import framed
from keras3dgan.voxels.placement import Placement
from keras3dgan.voxels.solid import inside

# About a minute of work; a mesh beyond it is made of huge overlapping triangles, not of a shape.
_MAX_AREA = 500_000_000


def voxelize(mesh: trimesh.Trimesh, resolution: int, margin: int | None = None, name: str = "mesh") -> np.ndarray:
    """Turns a mesh into a solid grid.

    The mesh is scaled, proportions kept, so that its longest side fills the grid but for the margin, and centred. Every
    voxel that the surface enters is occupied, and every voxel whose centre is inside: `keras3dgan.voxels.solid` says how
    that is found where the mesh is not closed.

    Args:
        mesh: triangles, z up; need not be closed, oriented or connected.
        resolution: n of the n^3 grid.
        margin: empty voxels on each side; default: one in 32 (1 at 32^3, 2 at 64^3).
        name: what to call the mesh in an error message.

    Returns:
        `uint8` (resolution, resolution, resolution) of zeros and ones.

    Raises:
        InputError: no extent, or an absurd amount of surface.
    """
    return voxelize_placed(mesh, resolution, margin, name)[0]


def prepare() -> None:
    """Compiles the loops, or fetches them compiled: with a closed part, an open one, and one that looks inwards."""
    box, corners = trimesh.creation.box().faces, trimesh.creation.box().vertices
    vertices = np.concatenate([corners, corners / 2, corners + [2, 0, 0]])
    faces = np.concatenate([box, box[:, ::-1] + 8, box[:8] + 16])
    voxelize(trimesh.Trimesh(vertices, faces, process=False), 8)


def default_margin(resolution: int) -> int:
    """Empty voxels on each side of a voxelised mesh."""
    return resolution // 32


def voxelize_placed(
    mesh: trimesh.Trimesh, resolution: int, margin: int | None = None, name: str = "mesh"
) -> tuple[np.ndarray, Placement]:
    """As `voxelize`, and where the grid lies in the mesh's units."""
    margin = default_margin(resolution) if margin is None else margin
    triangles, placement = framed(mesh.triangles, resolution, margin, name, mesh.metadata.get("rounding", 0.0))
    one, two, three = triangles.swapaxes(0, 1)
    spans = np.maximum(np.maximum(one, two), three) - np.minimum(np.minimum(one, two), three) + 1
    if (spans.prod(axis=1) / spans.min(axis=1)).sum() > _MAX_AREA:
        raise InputError(
            f"{name}: its triangles overlap so much that voxelising would take minutes; simplify the mesh."
        )
    grid = inside(triangles, resolution)
    rasterize.mark_entered(triangles, grid)
    return grid.astype(np.uint8), placement
