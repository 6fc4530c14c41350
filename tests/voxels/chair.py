"""A chair of six boxes that no turning or mirroring maps onto itself, and the mesh of each box, for files of every kind."""

import functools

import numpy as np
import trimesh

from keras3dgan.voxels.voxelize import voxelize

_BOXES = np.array(
    [
        # x, y, z of the lowest and of the highest corner
        [0, 0, 3.9, 5, 5.2, 4.7],
        [0, 4.6, 4.7, 5, 5.2, 10],
        [0, 0, 0, 0.6, 0.6, 3.9],
        [4.4, 0, 0, 5, 0.6, 3.9],
        [0, 4.6, 0, 0.6, 5.2, 3.9],
        [4.2, 4.4, 0, 5, 5.2, 3.9],
    ]
)
_QUADS = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])


def parts() -> list[tuple[np.ndarray, np.ndarray]]:
    """Vertices (8, 3) and quadrilaterals (6, 4), wound outwards, of each box; z up."""
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    return [(np.where(corners, box[3:], box[:3]), _QUADS) for box in _BOXES]


def vertices() -> np.ndarray:
    """All corners, (48, 3)."""
    return np.concatenate([points for points, _ in parts()])


def quads() -> np.ndarray:
    """All sides, (36, 4)."""
    return np.concatenate([faces + 8 * index for index, (_, faces) in enumerate(parts())])


def triangles() -> np.ndarray:
    """All sides in halves, (72, 3)."""
    return np.concatenate([quads()[:, [0, 1, 2]], quads()[:, [0, 2, 3]]])


@functools.cache
def grid(resolution: int = 32) -> np.ndarray:
    """What a file of the chair must give."""
    return voxelize(trimesh.Trimesh(vertices(), triangles(), process=False), resolution)


def obj(comment: str = "") -> str:
    """The chair as an `.obj` file."""
    points = [f"v {x:g} {y:g} {z:g}{comment}" for x, y, z in vertices()]
    return "\n".join(points + ["f " + " ".join(map(str, quad + 1)) + comment for quad in quads()]) + "\n"


def off(header: str = "OFF\n", behind_vertex: str = "", behind_face: str = "") -> str:
    """The chair as an `.off` file."""
    lines = [f"{x:g} {y:g} {z:g}{behind_vertex}" for x, y, z in vertices()]
    lines += ["4 " + " ".join(map(str, quad)) + behind_face for quad in quads()]
    return f"{header}48 36 0\n" + "\n".join(lines) + "\n"
