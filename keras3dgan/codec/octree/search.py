"""The encoder's choice: which voxels a shape can do without, for how many bytes."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections.abc import Sequence

import numpy as np

from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.voxels.grid import iou

# Bits that a voxel is worth, from hardly anything to nearly exact.
PRICES = (0.3, 0.6, 1.2, 2.5, 5.0)
# How sure of itself the model is made: indices into `SHARPNESS`.
_SHARPNESS = (0, 1, 2)
# Prototypes to start from that are tried.
TRIED = 3
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
        found.append((model.cost(grid, number), -1.0, grid, number, 0))
        for price, sharpness in itertools.product(PRICES, _SHARPNESS):
            simple, cost = model.simplify(grid, number, sharpness, price, below)
            found.append((cost, -float(iou(grid[None], simple[None])[0]), simple, number, sharpness))
    best: list[Point] = []
    for _, worth, simple, number, sharpness in sorted(found, key=lambda candidate: candidate[:2]):
        if not best or -worth > best[-1].iou:
            point = Point(simple, model.encode(simple, number, sharpness), -worth)
            # A fraction of a byte may make no difference, or, with zeros dropped, one the other way.
            while best and len(best[-1].payload) >= len(point.payload):
                best.pop()
            best.append(point)
    return best


def share(choices: Sequence[Sequence[Point]], room: int) -> list[Point]:
    """One point for each shape, with the greatest mean IoU for the bytes of all payloads together.

    Args:
        choices: for each shape what `points` gave.
        room: how many bytes there are for all; the shortest points are taken where they do not fit.
    """
    hulls = [_hull(found) for found in choices]
    taken = [0] * len(hulls)
    left = room - sum(len(hull[0].payload) for hull in hulls)
    steps = [(-_gain(hull, 0), row) for row, hull in enumerate(hulls) if len(hull) > 1]
    heapq.heapify(steps)
    while steps:
        _, row = heapq.heappop(steps)
        hull, at = hulls[row], taken[row]
        cost = len(hull[at + 1].payload) - len(hull[at].payload)
        if cost > left:
            continue
        left -= cost
        taken[row] = at + 1
        if at + 2 < len(hull):
            heapq.heappush(steps, (-_gain(hull, at + 1), row))
    chosen = [hull[at] for hull, at in zip(hulls, taken, strict=True)]
    for row, found in enumerate(choices):  # what is left is too little for any step, but not for one between
        size = len(chosen[row].payload)
        best = max((point for point in found if len(point.payload) <= size + max(left, 0)), key=lambda point: point.iou)
        left -= len(best.payload) - size
        chosen[row] = best
    return chosen


def _gain(hull: Sequence[Point], at: int) -> float:
    """IoU for a byte, from one point to the next."""
    return (hull[at + 1].iou - hull[at].iou) / (len(hull[at + 1].payload) - len(hull[at].payload))


def _hull(found: Sequence[Point]) -> list[Point]:
    """Those points whose gains only fall."""
    hull: list[Point] = []
    for point in found:
        hull.append(point)
        while len(hull) > 2 and _gain(hull, len(hull) - 2) >= _gain(hull, len(hull) - 3):
            del hull[-2]
    return hull
