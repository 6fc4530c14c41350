"""Polygons of any number of corners into triangles, concave ones included."""

import dataclasses

import mapbox_earcut
import numpy as np


@dataclasses.dataclass(frozen=True)
class Polygons:
    """Faces of any size over shared vertices.

    Attributes:
        vertices: float64 (n, 3).
        corners: int64 (sum of sizes,), the vertices of all faces one after the other.
        sizes: int64 (faces,), the corners of each face; faces of fewer than three carry no surface.
    """

    vertices: np.ndarray
    corners: np.ndarray
    sizes: np.ndarray


def triangulate(polygons: Polygons) -> tuple[np.ndarray, np.ndarray]:
    """The polygons cut into triangles that cover each once, wound as the polygon is.

    Convex polygons become fans, concave quadrilaterals are cut from their reflex corner, other concave polygons are cut by
    ear clipping (mapbox's earcut) in the plane of their mean normal (Newell's method).

    Returns:
        `(vertices, faces)`: the same vertices, and int64 (m, 3).
    """
    vertices, corners, sizes = polygons.vertices, polygons.corners, polygons.sizes
    starts = np.cumsum(sizes) - sizes
    faces = [corners[starts[sizes == 3][:, None] + np.arange(3)]]
    for size in np.unique(sizes[sizes > 3]):
        rows = corners[starts[sizes == size][:, None] + np.arange(size)]
        with np.errstate(all="ignore"):  # corners that are not finite are refused later, with the whole mesh
            flat = _projected(vertices[rows])
            if size == 4:
                faces.append(_quads(rows, flat))
                continue
            convex = _convex(flat)
        faces.append(_fans(rows[convex]))
        faces += [row[_ears(points)] for row, points in zip(rows[~convex], flat[~convex], strict=True)]
    return vertices, np.concatenate(faces)


def _projected(points: np.ndarray) -> np.ndarray:
    """The polygons (m, k, 3) in their own planes, (m, k, 2), counter-clockwise, about one unit large."""
    points = points - points[:, :1]
    points = points / np.maximum(np.abs(points).max(axis=(1, 2), keepdims=True), np.finfo(float).tiny)
    following = np.roll(points, -1, axis=1)
    normal = np.cross(points, following).sum(axis=1)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    normal = np.where(length > 0, normal / np.where(length > 0, length, 1), [0.0, 0.0, 1.0])
    # An axis that is far from the normal spans the plane with it.
    axis = np.eye(3)[np.abs(normal).argmin(axis=1)]
    u = np.cross(axis, normal)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(normal, u)
    return np.stack([np.einsum("mkd,md->mk", points, u), np.einsum("mkd,md->mk", points, v)], axis=2)


def _turns(flat: np.ndarray) -> np.ndarray:
    """Twice the signed area of each corner's triangle, (m, k); negative where the polygon is reflex."""
    back, ahead = flat - np.roll(flat, 1, axis=1), np.roll(flat, -1, axis=1) - flat
    return back[..., 0] * ahead[..., 1] - back[..., 1] * ahead[..., 0]


def _convex(flat: np.ndarray) -> np.ndarray:
    """Whether every corner turns left and the outline goes round once."""
    edges = np.roll(flat, -1, axis=1) - flat
    angle = np.arctan2(edges[..., 1], edges[..., 0])
    change = (np.roll(angle, -1, axis=1) - angle + np.pi) % (2 * np.pi) - np.pi
    once = np.abs(change.sum(axis=1) - 2 * np.pi) < 0.1
    return (_turns(flat) >= -1e-9).all(axis=1) & once & (np.abs(edges).max(axis=2) > 0).all(axis=1)


def _quads(rows: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Two triangles each, cut along the first diagonal unless corner 1 or 3 is the reflex one."""
    turns = _turns(flat)
    other = np.minimum(turns[:, 1], turns[:, 3]) < np.minimum(np.minimum(turns[:, 0], turns[:, 2]), -1e-9)
    cut = np.where(other[:, None], [1, 2, 3, 1, 3, 0], [0, 1, 2, 0, 2, 3])
    return np.take_along_axis(rows, cut, axis=1).reshape(-1, 3)


def _fans(rows: np.ndarray) -> np.ndarray:
    steps = np.arange(1, rows.shape[1] - 1)
    return rows[:, np.stack([np.zeros_like(steps), steps, steps + 1], axis=1)].reshape(-1, 3)


def _ears(flat: np.ndarray) -> np.ndarray:
    if not np.isfinite(flat).all():
        return _fans(np.arange(len(flat))[None])
    ends = np.array([len(flat)], np.uint32)
    return mapbox_earcut.triangulate_float64(np.ascontiguousarray(flat), ends).reshape(-1, 3).astype(np.int64)
