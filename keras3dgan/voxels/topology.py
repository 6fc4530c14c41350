"""Which triangles hang together, and whether they close and agree about inside and outside."""

import dataclasses

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from keras3dgan.compiled import compiled

# Corners this near to each other are one: a two-millionth of the grid, the precision of float32.
_STEPS = 1 << 21


@dataclasses.dataclass(frozen=True)
class Parts:
    """The connected parts of a mesh.

    Attributes:
        triangles: float64 (m, 3, 3), part after part, without those that collapsed, turned where their part agrees then.
        starts: int64 (parts,), the first triangle of each part.
        closed: bool (parts,): each edge is run through as often one way as the other, so the part has an inside.
        volume: float64 (parts,): signed; negative where faces look inwards.
    """

    triangles: np.ndarray
    starts: np.ndarray
    closed: np.ndarray
    volume: np.ndarray

    def part(self, index: int) -> np.ndarray:
        """The triangles of one part."""
        return self.triangles[self.starts[index] : self.starts[index + 1] if index + 1 < len(self.starts) else None]

    def of(self, chosen: np.ndarray) -> np.ndarray:
        """The triangles of all parts that a mask (parts,) marks."""
        return self.triangles[np.repeat(chosen, np.diff(self.starts, append=len(self.triangles)))]

    def hold_centres(self) -> np.ndarray:
        """Whether the box of each part has a voxel's centre in it, bool (parts,): others have no inside to fill."""
        if not len(self.starts):
            return np.zeros(0, bool)
        corners = self.triangles.reshape(-1, 3)
        low, high = (extreme.reduceat(corners, 3 * self.starts) for extreme in (np.minimum, np.maximum))
        return np.all(np.floor(high - 0.5) >= np.ceil(low - 0.5), axis=1)


def parts(triangles: np.ndarray, resolution: int) -> Parts:
    """Takes triangles (m, 3, 3) in voxels of a grid of this resolution apart."""
    points, faces = _welded(triangles, resolution)
    kept = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    faces = faces[kept]
    label = _labels(faces, len(points))
    order = np.argsort(label, kind="stable")
    faces, label = faces[order], label[order]
    starts = np.flatnonzero(np.diff(label, prepend=-1))
    closed = ~np.logical_or.reduceat(_unbalanced(faces, len(points)), starts) if len(faces) else np.zeros(0, bool)
    if not closed.all():
        chosen = np.flatnonzero(~closed[label])
        faces[chosen] = _agreeing(faces[chosen], len(points))
        closed = ~np.logical_or.reduceat(_unbalanced(faces, len(points)), starts)
    corners = points[faces]
    about = corners - resolution / 2
    volume = np.einsum("ij,ij->i", about[:, 0], np.cross(about[:, 1], about[:, 2])) / 6
    return Parts(corners, starts, closed, np.add.reduceat(volume, starts) if len(faces) else np.zeros(0))


def _labels(faces: np.ndarray, points: int) -> np.ndarray:
    """The part of each face, counted from 0: faces with a common corner are of one part."""
    graph = coo_matrix(
        (np.ones(2 * len(faces), bool), (np.tile(faces[:, 0], 2), faces[:, 1:].T.ravel())), shape=(points, points)
    )
    label = connected_components(graph, directed=False)[1][faces[:, 0]]
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _welded(triangles: np.ndarray, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    corners = triangles.reshape(-1, 3)
    steps = np.round(corners * (_STEPS / (resolution + 1))).astype(np.int64)
    keys = (steps[:, 0] << 42) | (steps[:, 1] << 21) | steps[:, 2]
    _, first, index = np.unique(keys, return_index=True, return_inverse=True)
    return corners[first], index.reshape(-1, 3)


def _unbalanced(faces: np.ndarray, points: int) -> np.ndarray:
    """Whether each face has an edge that is run through more often one way than the other, bool (m,)."""
    ends, edge, count = _edges(faces, points)
    balance = np.bincount(edge, np.where(ends[:, 0] < ends[:, 1], 1, -1), minlength=len(count))
    return (balance[edge] != 0).reshape(-1, 3).any(axis=1)


def _edges(faces: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two ends of each face's three sides, (3 m, 2), the edge that each side is, and how many sides each edge has."""
    ends = np.stack([faces, np.roll(faces, -1, axis=1)], axis=2).reshape(-1, 2)
    keys = ends.min(axis=1) * np.int64(points) + ends.max(axis=1)
    _, edge, count = np.unique(keys, return_inverse=True, return_counts=True)
    return ends, edge, count


def _agreeing(faces: np.ndarray, points: int) -> np.ndarray:
    """The faces, turned so that any two that share an edge with nobody else run through it in opposite directions."""
    ends, edge, count = _edges(faces, points)
    order = np.argsort(edge, kind="stable")
    starts = np.cumsum(count) - count
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    # The other half of each edge that two faces share, or -1.
    partner = np.where(position == starts[edge], 1, -1) + position
    other = np.where(count[edge] == 2, order[np.clip(partner, 0, len(order) - 1)], -1)
    turned = _flood(other, ends[:, 0] < ends[:, 1], len(faces))
    return np.where(turned[:, None], faces[:, ::-1], faces)


@compiled
def _flood(other: np.ndarray, upwards: np.ndarray, count: int) -> np.ndarray:  # pragma: no cover: compiled
    """Which faces to turn; of each patch that hangs together the smaller share is turned."""
    state = np.full(count, -1, np.int8)
    queue = np.empty(count, np.int64)
    for seed in range(count):
        if state[seed] >= 0:
            continue
        state[seed] = 0
        queue[0], first, last, turned = seed, 0, 1, 0
        while first < last:
            face = queue[first]
            first += 1
            turned += state[face]
            for half in range(3 * face, 3 * face + 3):
                neighbour = other[half] // 3 if other[half] >= 0 else -1
                if neighbour >= 0 and state[neighbour] < 0:
                    same = upwards[half] == upwards[other[half]]
                    state[neighbour] = 1 - state[face] if same else state[face]
                    queue[last] = neighbour
                    last += 1
        if 2 * turned > last:
            for place in range(last):
                state[queue[place]] = 1 - state[queue[place]]
    return state > 0
