"""The encoder's choice: which voxels a shape can do without, for how many bytes."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from keras3dgan.codec.octree.model import OctreeModel, Start
from keras3dgan.voxels.grid import iou

# Bits that a voxel is worth, from hardly anything to nearly exact.
PRICES = (0.6, 1.2, 1.8, 2.5, 3.5, 5.0, 7.0)
# Prototypes, and known shapes, that are tried to start from.
_PROTOTYPES, _KNOWN = 2, 2
# About how many bits the next finer level takes to describe a cell.
_BELOW = 2.0


class Way(NamedTuple):
    """One way to send a shape.

    Attributes:
        grid: what will be restored, uint8 (n, n, n).
        start: what its stream begins with.
        cost: bytes, fractions included; nan where nobody has counted them.
        iou: of `grid` with the shape.
    """

    grid: np.ndarray
    start: Start
    cost: float
    iou: float


def exact(model: OctreeModel, grid: np.ndarray) -> Way:
    """How a shape (n, n, n) of zeros and ones is sent without loss; what it costs is not counted."""
    return Way(grid, model.start(grid), math.nan, 1.0)


def ways(model: OctreeModel, grid: np.ndarray) -> list[Way]:
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
    found: list[Way] = []
    for number in numbers:
        start, shape = Start(number, verbatim=True), codebook.shape(number)
        found.append(Way(shape, start, model.cost(shape, start), _iou(grid, shape)))
        start = Start(number)
        found.append(Way(grid, start, model.cost(grid, start), 1.0))
        for price in PRICES:
            simple, cost = model.simplify(grid, start, price, below)
            found.append(Way(simple, start, cost, _iou(grid, simple)))
    best: list[Way] = []
    for way in sorted(found, key=lambda way: (way.cost, -way.iou)):
        if not best or way.iou > best[-1].iou:
            best.append(way)
    return best


def _iou(one: np.ndarray, two: np.ndarray) -> float:
    return float(iou(one[None], two[None])[0])
