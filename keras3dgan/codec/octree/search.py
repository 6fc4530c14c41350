"""The encoder's choice: which voxels a shape can do without, for how many bytes."""

from __future__ import annotations

import itertools

import numpy as np

from keras3dgan.codec.goals import Point, front
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.voxels.grid import iou

# Bits that a voxel is worth, from hardly anything to nearly exact.
PRICES = (0.3, 0.6, 1.2, 2.5, 5.0)
# How sure of itself the model is made: indices into its module's `SHARPNESS`.
_SHARPNESS = (0, 1, 2)
# Prototypes to start from that are tried.
TRIED = 3
# About how many bits the next finer level takes to describe a cell.
_BELOW = 2.0


def points(model: OctreeModel, grid: np.ndarray, tried: int = TRIED) -> list[Point]:
    """Ways to send a shape, each better than all that are as short, from rough to exact.

    Args:
        model: the trained model.
        grid: (n, n, n) of zeros and ones.
        tried: how many prototypes to start from.
    """
    finer = len(model.codebook.grades)
    below = [_BELOW * (finer - 1 - level) for level in range(finer - 1)]
    found: list[tuple[float, float, np.ndarray, int, int]] = []
    for number in model.codebook.nearest(grid[None], tried)[0].tolist():
        found.append((model.cost(grid, number), 1.0, grid, number, 0))
        for price, sharpness in itertools.product(PRICES, _SHARPNESS):
            simple, cost = model.simplify(grid, number, sharpness, price, below)
            found.append((cost, float(iou(grid[None], simple[None])[0]), simple, number, sharpness))
    best: list[Point] = []
    for _, score, simple, number, sharpness in sorted(found, key=lambda candidate: (candidate[0], -candidate[1])):
        if not best or score > max(point.iou for point in best):
            best.append(Point(model.encode(simple, number, sharpness), score))
    return front(best)
