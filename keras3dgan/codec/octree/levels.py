"""The loops over the voxels of one level: coding, decoding, and what a shape would cost."""

from __future__ import annotations

import numba
import numpy as np

from keras3dgan.codec.octree import arithmetic
from keras3dgan.codec.octree.features import (
    BASE,
    BUCKET_OF,
    MIRRORS,
    PAD,
    count_disagreement,
    position,
    shape_features,
    voxel_features,
)
from keras3dgan.codec.octree.network import make_room, probability

ENCODE, DECODE, COST = range(3)
_MOST_COUNTED = len(BUCKET_OF) - 1


@numba.njit(cache=True, nogil=True)
def walk(mode, wanted, parent, base, template, network, stream, state):
    """Goes through the voxels of a level whose parents are occupied, in raster order.

    Args:
        mode: `ENCODE` writes the level to the stream, `DECODE` reads it, `COST` only adds up what it would take.
        wanted: the level to write, padded and flat; not looked at when decoding.
        parent: the coarser level, padded and flat; ignored at the 8^3 level.
        base: the 8^3 level, padded and flat; ignored there.
        template: of the level.
        network: of the level.
        stream: bytes to write into or to read.
        state: of the arithmetic coder.

    Returns:
        The level, padded and flat, and its cost in 1/65536 bit.
    """
    size, stride = template.resolution, template.stride
    grid = np.zeros(stride**3, np.uint8)
    active = np.empty(template.begins[-1], np.int32)
    room = make_room(network, active, shape_features(parent, base, template, active))
    counts = np.zeros(MIRRORS, np.int64)
    buckets = np.zeros(MIRRORS, np.uint8)
    cost = 0
    for x in range(size):
        for y in range(size):
            for z in range(size):
                if size > BASE and not parent[position(x // 2, y // 2, z // 2, template.parent_stride)]:
                    continue
                for k in range(MIRRORS):
                    buckets[k] = BUCKET_OF[min(counts[k], _MOST_COUNTED)]
                count = voxel_features(grid, parent, x, y, z, buckets, template, active)
                chance = probability(network, active, count, room)
                own = position(x, y, z, stride)
                if mode == DECODE:
                    bit = arithmetic.decode(chance, stream, state)
                else:
                    bit = wanted[own]
                    cost += arithmetic.COSTS[chance if bit else 65536 - chance]
                    if mode == ENCODE:
                        arithmetic.encode(bit, chance, stream, state)
                grid[own] = bit
                count_disagreement(grid, x, y, z, template, counts)
    return grid, cost


@numba.njit(cache=True, nogil=True)
def trace(grid, parent, template, places, buckets):
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
    row = 0
    for x in range(size):
        for y in range(size):
            for z in range(size):
                if size > BASE and not parent[position(x // 2, y // 2, z // 2, template.parent_stride)]:
                    continue
                places[row, 0], places[row, 1], places[row, 2] = x, y, z
                for k in range(MIRRORS):
                    buckets[row, k] = BUCKET_OF[min(counts[k], _MOST_COUNTED)]
                count_disagreement(grid, x, y, z, template, counts)
                row += 1
    return row


@numba.njit(cache=True, nogil=True)
def dense_features(grids, parents, bases, shapes, places, buckets, template, rows):
    """Features of voxels as rows of zeros and ones, for training.

    Args:
        grids, parents, bases: (count, ...) the level, the coarser one and the 8^3 one of all shapes, padded and flat.
        shapes: (batch,) the shape of each voxel.
        places: (batch, 3) where it lies.
        buckets: (batch, 6) as `trace` gives them.
        template: of the level.
        rows: uint8 (batch, features), zero; gets the ones.
    """
    active = np.empty(template.begins[-1], np.int32)
    for i in range(len(shapes)):
        shape = shapes[i]
        for k in range(shape_features(parents[shape], bases[shape], template, active)):
            rows[i, active[k]] = 1
        x, y, z = np.int64(places[i, 0]), np.int64(places[i, 1]), np.int64(places[i, 2])
        for k in range(voxel_features(grids[shape], parents[shape], x, y, z, buckets[i], template, active)):
            rows[i, active[k]] = 1


def inner(flat: np.ndarray, resolution: int) -> np.ndarray:
    """A grid (n, n, n) without the border it has in memory."""
    whole = flat.reshape((resolution + 2 * PAD,) * 3)
    return whole[PAD:-PAD, PAD:-PAD, PAD:-PAD]
