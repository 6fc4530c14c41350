"""The encoder's choice: which voxels a shape can do without, for how many bytes."""

from __future__ import annotations

import dataclasses

import numpy as np

from keras3dgan.codec.octree.model import OctreeModel

# Bits that a voxel is worth, from hardly anything to nearly exact.
PRICES = (0.3, 0.5, 0.8, 1.2, 1.8, 2.5, 3.5, 5.0, 7.0, 10.0)
# Prototypes to start from that are tried.
_TRIED = 3
# About how many bits the next finer level takes to describe a cell.
_BELOW = 2.0


@dataclasses.dataclass(frozen=True)
class Point:
    """A shape that can be sent in place of another.

    Attributes:
        grid: (n, n, n) of zeros and ones.
        payload: what decodes to it.
        iou: with the shape that was wanted.
    """

    grid: np.ndarray
    payload: bytes
    iou: float


def points(model: OctreeModel, grid: np.ndarray, tried: int = _TRIED) -> list[Point]:
    """Ways to send a shape, from rough to exact.

    Args:
        model: the trained model.
        grid: (n, n, n) of zeros and ones.
        tried: how many prototypes to start from.

    Returns:
        For each prototype one point for each of `PRICES`, and the exact one.
    """
    finer = len(model.codebook.grades)
    below = [_BELOW * (finer - 1 - level) for level in range(finer - 1)]
    found: list[Point] = []
    for number in model.codebook.nearest(grid[None], tried)[0].tolist():
        seen: set[bytes] = set()
        for price in PRICES:
            simple = model.simplify(grid, number, price, below)
            packed = simple.tobytes()
            if packed not in seen:
                seen.add(packed)
                found.append(Point(simple, model.encode(simple, number), _iou(grid, simple)))
        found.append(Point(grid, model.encode(grid, number), 1.0))
    return found


def _iou(one: np.ndarray, two: np.ndarray) -> float:
    either = int(np.count_nonzero(one | two))
    return int(np.count_nonzero(one & two)) / either if either else 1.0
