"""The encoder's choice: which voxels a shape can do without, for how many bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from keras3dgan.codec.octree.model import OctreeModel, Start
from keras3dgan.voxels import pose
from keras3dgan.voxels.grid import iou

# Bits that a voxel is worth, from hardly anything to nearly exact.
PRICES = (0.6, 1.2, 1.8, 2.5, 3.5, 5.0, 7.0)
# The same for few bytes, of grids finer than 32^3: their finest levels are then mostly guessed, and count for nothing.
CHEAP_PRICES = (0.1, 0.2, 0.4, 0.8)
_FINE = 32
# Prototypes, and known shapes, that are tried to start from.
_PROTOTYPES, _KNOWN = 2, 2
# Poses that are tried to the end, besides that of the file.
_POSES = 2
# About how many bits the next finer level takes to describe a cell.
_BELOW = 2.0


class Way(NamedTuple):
    """One way to send a shape.

    Attributes:
        grid: what will be restored, uint8 (n, n, n).
        start: what its stream begins with.
        cost: bytes, fractions included.
        iou: of `grid` with the shape.
    """

    grid: np.ndarray
    start: Start
    cost: float
    iou: float


def turned(model: OctreeModel, grid: np.ndarray, poses: Sequence[int], price: float = 0.0) -> tuple[int, Way]:
    """The pose in which a shape is sent without loss for the fewest bytes, and how.

    Args:
        model: the trained model.
        grid: (n, n, n) of zeros and ones.
        poses: which are tried (`voxels.pose.turn`).
        price: bytes that a pose other than 0 takes.
    """
    start = model.start(grid)
    if start.verbatim:
        return 0, Way(grid, start, model.cost(grid, start), 1.0)
    shapes = pose.distinct(grid, poses)
    starts = {number: model.start(shape) for number, shape in shapes.items()}
    # The first level tells which poses suit the model, for a tenth of the work.
    rough = {number: model.cost(shapes[number], starts[number], coarsest=1) for number in shapes}
    tried = {0, *sorted(rough, key=lambda number: rough[number])[:_POSES]} & {*shapes}
    ways = {
        number: Way(shapes[number], starts[number], model.cost(shapes[number], starts[number]), 1.0) for number in tried
    }
    best = min(ways, key=lambda number: (ways[number].cost + price * (number > 0), number))
    return best, ways[best]


def ways(model: OctreeModel, grid: np.ndarray) -> list[Way]:
    """Ways to send a shape, each better than all that are as short, from rough to exact.

    Args:
        model: the trained model.
        grid: (n, n, n) of zeros and ones.
    """
    codebook = model.codebook
    numbers = codebook.nearest(grid[None], _PROTOTYPES)[0].tolist()
    numbers += [number for number, _ in codebook.nearest_known(grid, _KNOWN)]
    found: list[Way] = []
    for number in numbers:
        start, shape = Start(number, verbatim=True), codebook.shape(number)
        found.append(Way(shape, start, model.cost(shape, start), _iou(grid, shape)))
        start = Start(number)
        found.append(Way(grid, start, model.cost(grid, start), 1.0))
        for price, below in _bargains(model):
            simple, cost = model.simplify(grid, start, price, below)
            found.append(Way(simple, start, cost, _iou(grid, simple)))
    best: list[Way] = []
    for way in sorted(found, key=lambda way: (way.cost, -way.iou)):
        if not best or way.iou > best[-1].iou:
            best.append(way)
    return best


def _bargains(model: OctreeModel) -> Iterator[tuple[float, list[float]]]:
    """Prices of a voxel, each with what finer levels are thought to take, as `simplify` wants them."""
    coarser = range(len(model.codebook.grades) - 1, 0, -1)
    yield from ((price, [_BELOW * levels for levels in coarser]) for price in PRICES)
    if model.resolution > _FINE:
        yield from ((price, [0.0 for _ in coarser]) for price in CHEAP_PRICES)


def _iou(one: np.ndarray, two: np.ndarray) -> float:
    return float(iou(one[None], two[None])[0])
