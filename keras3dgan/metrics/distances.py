"""Distances between every shape of one set and every shape of another."""

import numpy as np
from scipy import ndimage

_PART = 256


def iou_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """1 - IoU of every pair.

    Args:
        a: (count_a, n, n, n), booleans or zeros and ones.
        b: (count_b, n, n, n).

    Returns:
        float64 (count_a, count_b) in [0, 1]; 0 between two empty grids.
    """
    flat_a = _flat(a)
    # In parts: a whole training set as floats would take gigabytes.
    columns = []
    for first in range(0, len(b), _PART):
        part = _flat(b[first : first + _PART])
        columns.append((flat_a @ part.T).astype(np.float64))
    intersection = np.concatenate(columns, axis=1)
    volume_b = b.reshape(len(b), -1).sum(axis=1, dtype=np.int64)
    union = flat_a.sum(axis=1)[:, None] + volume_b[None, :] - intersection
    return np.where(union > 0, 1 - intersection / np.maximum(union, 1), 0.0)


def chamfer_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Chamfer distance of every pair: the two mean distances from surface points to the nearest of the other, averaged.

    Surface points are the centres of the occupied voxels that have an empty face neighbour; the unit is the edge of the cube, so
    figures of 32^3 and 64^3 compare. Not squared. Computed exactly from distance transforms, not from samples.

    Args:
        a: (count_a, n, n, n), booleans or zeros and ones.
        b: (count_b, n, n, n).

    Returns:
        float64 (count_a, count_b) in [0, sqrt(3)]; the cube's diagonal, sqrt(3), where only one grid is empty.
    """
    fields_a, fields_b = _surfaces(a), _surfaces(b)
    # Row i, column j: the mean over i's surface of the distance to j's.
    forth = fields_a[0] @ fields_b[1].T
    back = (fields_b[0] @ fields_a[1].T).T
    distance = (forth + back).astype(np.float64) / (2 * a.shape[1])
    empty_a, empty_b = (grids.max(axis=(1, 2, 3)) == 0 for grids in (a, b))
    one_empty = empty_a[:, None] != empty_b[None, :]
    return np.where(one_empty, np.sqrt(3), np.where(empty_a[:, None], 0.0, distance))


def _surfaces(grids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each grid the surface, as weights that sum to 1, and the distance to it from everywhere; float32 (count, n^3)."""
    weights, fields = (np.zeros((len(grids), grids[0].size), np.float32) for _ in range(2))
    for row, grid in enumerate(grids.astype(bool)):
        if grid.any():
            surface = grid & ~ndimage.binary_erosion(grid)
            weights[row] = surface.ravel() / surface.sum()
            fields[row] = ndimage.distance_transform_edt(~surface).ravel()
    return weights, fields


def _flat(grids: np.ndarray) -> np.ndarray:
    return grids.reshape(len(grids), -1).astype(np.float32)
