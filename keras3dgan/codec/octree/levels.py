"""The loops over the voxels of one level: coding, decoding, and what a shape would cost."""

from __future__ import annotations

import numpy as np

from keras3dgan.codec.octree import arithmetic, draws
from keras3dgan.codec.octree.features import (
    BASE,
    BUCKET_OF,
    MIRRORS,
    PAD,
    Template,
    cell_features,
    count_disagreement,
    each_step,
    position,
    shape_features,
    voxel_features,
)
from keras3dgan.codec.octree.network import Network, forget_cells, make_room, probability
from keras3dgan.compiled import compiled

ENCODE, DECODE, COST, SIMPLIFY, SAMPLE = range(5)
# Where `SAMPLE` draws a voxel.
UNKNOWN = 2
# Bits that its chances have more than the coder's.
_FINER = draws.PRECISION - arithmetic.PRECISION
_MOST_COUNTED = len(BUCKET_OF) - 1
NO_MASS = np.zeros(0, np.int32)
# Mass, price and below of a walk that leaves every voxel as it is. Not defaults: numba would compile those anew in each process.
NO_CHOICE = (NO_MASS, 0, 0)


@compiled
def _cheaper(bit: int, saved: int, mass: int, price: int, below: int, finest: bool) -> int:
    """Whether to code the other bit: it saves more than the voxels are worth that come out wrong."""
    if finest:
        return saved > price
    return bit and saved + below > price * mass


@compiled
def _sampled(chance: int, own: int, last: int, grid: np.ndarray, stride: int, state: np.ndarray) -> np.uint8:
    """A drawn voxel; where cells are to be filled, the last child of one is occupied if no other is."""
    if state[2] and last:
        others = grid[own - 1] | grid[own - stride] | grid[own - stride - 1]
        below = own - stride * stride
        others |= grid[below] | grid[below - 1] | grid[below - stride] | grid[below - stride - 1]
        if not others:
            return np.uint8(1)
    return np.uint8(draws.draw(own, state) < chance)


@compiled
def walk(
    mode: int,
    wanted: np.ndarray,
    parent: np.ndarray,
    base: np.ndarray,
    prototype: np.ndarray,
    template: Template,
    network: Network,
    stream: np.ndarray,
    state: np.ndarray,
    mass: np.ndarray,
    price: int,
    below: int,
) -> tuple[np.ndarray, int]:
    """Goes through the voxels of a level whose parents are occupied, in raster order.

    Args:
        mode: `ENCODE` writes the level to the stream, `DECODE` reads it, `COST` only adds up what it would take, `SIMPLIFY` does
            so and gives up voxels that cost more than they are worth, `SAMPLE` draws the voxels that are not given.
        wanted: the level to write, padded and flat; not looked at when decoding. With `SAMPLE` 2 where a voxel is to be drawn.
        parent: the coarser level, padded and flat; ignored at the 8^3 level.
        base: the 8^3 level, padded and flat; ignored there.
        prototype: grades of this level, padded and flat.
        template: of the level.
        network: of the level, `cumulated`; with `SAMPLE` its probabilities are of 2^30.
        stream: bytes to write into or to read.
        state: of the arithmetic coder; with `SAMPLE` of `draws`.
        mass: with `SIMPLIFY`, how many voxels of the shape each cell holds, padded and flat; empty at the finest level.
        price: with `SIMPLIFY`, what a wrong voxel counts for, in 1/65536 bit.
        below: with `SIMPLIFY`, about what the finer levels take to describe a cell, in 1/65536 bit.

    Returns:
        The level, padded and flat, and its cost in 1/65536 bit; of what was decoded or drawn nothing is counted.
    """
    size, stride = template.resolution, template.stride
    grid = np.zeros(stride**3, np.uint8)
    active = np.empty(template.begins[-1], np.int32)
    room = make_room(network, active, shape_features(parent, base, template, active), size // 2)
    counts = np.zeros(MIRRORS, np.int64)
    buckets = np.zeros(MIRRORS, np.uint8)
    cost = 0
    for x in range(size):
        for y in range(size):
            row = position(x >> 1, y >> 1, 0, template.parent_stride)
            if not y & 1:
                forget_cells(room)
            for z in range(size):
                cell = z >> 1
                if size > BASE and not parent[row + cell]:
                    continue
                if room.counts[cell] < 0:
                    room.counts[cell] = cell_features(parent, x >> 1, y >> 1, cell, template, room.active[cell])
                for k in range(MIRRORS):
                    buckets[k] = BUCKET_OF[min(counts[k], _MOST_COUNTED)]
                count = voxel_features(grid, prototype, x, y, z, buckets, template, active)
                chance = probability(network, active, count, cell, room)
                own = position(x, y, z, stride)
                if mode == DECODE:
                    bit = arithmetic.decode(chance, stream, state)
                elif mode == SAMPLE:
                    bit = wanted[own]
                    if bit == UNKNOWN:
                        bit = _sampled(chance, own, size > BASE and x & y & z & 1, grid, stride, state)
                    else:
                        rounded = min(max(chance >> _FINER, 1), 65535)
                        cost += arithmetic.COSTS[rounded if bit else 65536 - rounded]
                else:
                    bit = wanted[own]
                    if mode == SIMPLIFY:
                        saved = arithmetic.COSTS[chance if bit else 65536 - chance]
                        saved -= arithmetic.COSTS[65536 - chance if bit else chance]
                        finest = len(mass) == 0
                        if _cheaper(bit, saved, 1 if finest else mass[own], price, below, finest):
                            bit = np.uint8(1 - bit)
                    cost += arithmetic.COSTS[chance if bit else 65536 - chance]
                    if mode == ENCODE:
                        arithmetic.encode(bit, chance, stream, state)
                grid[own] = bit
                count_disagreement(grid, x, y, z, template, counts)
    return grid, cost


@compiled
def trace(grid: np.ndarray, parent: np.ndarray, template: Template, places: np.ndarray, buckets: np.ndarray) -> int:
    """The voxels of a level that are coded, and how well the mirrors have held before each.

    Args:
        grid: the level, padded and flat.
        parent: the coarser level, padded and flat; ignored at the 8^3 level.
        template: of the level.
        places: uint8 (resolution^3, 3), gets x, y, z.
        buckets: uint8 (resolution^3, 6), gets the buckets.

    Returns:
        How many voxels there are.
    """
    size = template.resolution
    counts = np.zeros(MIRRORS, np.int64)
    found = 0
    for x in range(size):
        for y in range(size):
            row = position(x >> 1, y >> 1, 0, template.parent_stride)
            for z in range(size):
                if size > BASE and not parent[row + (z >> 1)]:
                    continue
                places[found, 0], places[found, 1], places[found, 2] = x, y, z
                for k in range(MIRRORS):
                    buckets[found, k] = BUCKET_OF[min(counts[k], _MOST_COUNTED)]
                count_disagreement(grid, x, y, z, template, counts)
                found += 1
    return found


@compiled
def dense_features(
    grids: np.ndarray,
    parents: np.ndarray,
    bases: np.ndarray,
    prototypes: np.ndarray,
    shapes: np.ndarray,
    places: np.ndarray,
    buckets: np.ndarray,
    template: Template,
    rows: np.ndarray,
) -> None:
    """Features of voxels as rows of zeros and ones, for training.

    Args:
        grids, parents, bases, prototypes: (count, ...) the level, the coarser one and the 8^3 one of all shapes, and the grades
            of their prototypes at this level, padded and flat.
        shapes: (batch,) the shape of each voxel; quickest where voxels of one shape come together.
        places: (batch, 3) where it lies.
        buckets: (batch, 6) as `trace` gives them.
        template: of the level.
        rows: uint8 (batch, features), zero; gets the ones.
    """
    active, shared = np.empty(template.begins[-1], np.int32), np.empty(template.begins[-1], np.int32)
    found = 0
    for i in range(len(shapes)):
        shape = shapes[i]
        if i == 0 or shape != shapes[i - 1]:
            found = shape_features(parents[shape], bases[shape], template, shared)
        for k in range(found):
            rows[i, shared[k]] = 1
        x, y, z = np.int64(places[i, 0]), np.int64(places[i, 1]), np.int64(places[i, 2])
        for k in range(cell_features(parents[shape], x >> 1, y >> 1, z >> 1, template, active)):
            rows[i, active[k]] = 1
        count = voxel_features(grids[shape], prototypes[shape], x, y, z, buckets[i], template, active)
        each_step(active, count, template, rows[i])


def inner(flat: np.ndarray, resolution: int) -> np.ndarray:
    """A grid (n, n, n) without the border it has in memory."""
    whole = flat.reshape((resolution + 2 * PAD,) * 3)
    return whole[PAD:-PAD, PAD:-PAD, PAD:-PAD]
