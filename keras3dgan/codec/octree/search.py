"""The encoder's choice: which voxels a shape can do without, for how many bytes."""

from __future__ import annotations

import numpy as np

from keras3dgan.codec.goals import Point, front
from keras3dgan.codec.octree.model import OctreeModel, Start
from keras3dgan.voxels.grid import iou

# Bits that a voxel is worth, from hardly anything to nearly exact.
PRICES = (0.6, 1.2, 1.8, 2.5, 3.5, 5.0, 7.0)
# Prototypes, and known shapes, that are tried to start from.
_PROTOTYPES, _KNOWN = 2, 2
# About how many bits the next finer level takes to describe a cell.
_BELOW = 2.0


def points(model: OctreeModel, grid: np.ndarray) -> list[Point]:
    """Ways to send a shape, each better than all that are as short, from rough to exact.

    Args:
        model: the trained model.
        grid: (n, n, n) of zeros and ones.
    """
    finer = len(model.codebook.grades)
    below = [_BELOW * (finer - 1 - level) for level in range(finer - 1)]
    codebook = model.codebook
    numbers = codebook.nearest(grid[None], _PROTOTYPES)[0].tolist()
    numbers += [number for number, _ in codebook.nearest_known(grid, _KNOWN)]
    found: list[tuple[float, float, np.ndarray, Start]] = []
    for number in numbers:
        start, shape = Start(number, verbatim=True), codebook.shape(number)
        found.append((model.cost(grid, start), _iou(grid, shape), shape, start))
        start = Start(number)
        found.append((model.cost(grid, start), 1.0, grid, start))
        for price in PRICES:
            simple, cost = model.simplify(grid, start, price, below)
            found.append((cost, _iou(grid, simple), simple, start))
    best: list[Point] = []
    for _, score, simple, start in sorted(found, key=lambda candidate: (candidate[0], -candidate[1])):
        if not best or score > max(point.iou for point in best):
            best.append(Point(model.encode(simple, start), score))
    return front(best)


def _iou(one: np.ndarray, two: np.ndarray) -> float:
    return float(iou(one[None], two[None])[0])
