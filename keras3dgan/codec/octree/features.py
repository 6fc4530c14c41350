"""What the network sees of a shape before it predicts a voxel: hundreds of zeros and ones, the same in training and coding.

A shape is a pyramid of grids: 8^3, 16^3 and so on up to its own, a cell occupied where any of its eight children is. Levels are
coded from coarse to fine, in each the children of occupied cells in raster order (x slowest). The features of a voxel are the
occupancy of voxels coded before it, at its own level and in the whole of the coarser one, around it and around its images in the
mirrors x and y, about which furniture is nearly symmetric; how well each mirror has held so far; where it lies; and what a
prototype of the codebook holds there, which the stream names first.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from keras3dgan.compiled import compiled

BASE = 8
# Empty border around every grid in memory, so that no neighbour needs a bounds check.
PAD = 8
# Mirrors x and y, each about the middle of the grid and half a voxel to either side.
MIRRORS = 6
# Number of disagreements with a mirror, as one of ten buckets: 0, 1, 2, 3 to 4, ... above 40.
_THRESHOLDS = np.array([0, 1, 2, 4, 7, 11, 16, 24, 40])
BUCKETS = len(_THRESHOLDS) + 1
_MOST_COUNTED = 41
# How often the shapes behind a prototype occupy a voxel: hardly ever, seldom, mostly, nearly always.
GRADES = 4
BUCKET_OF = (np.arange(_MOST_COUNTED + 1)[:, None] > _THRESHOLDS).sum(axis=1).astype(np.uint8)


class Template(NamedTuple):
    """Offsets into padded, flattened grids of one level, and where each kind of feature begins (a tuple, for numba)."""

    resolution: int
    stride: int
    parent_stride: int
    causal: np.ndarray
    mirrored: np.ndarray
    parent: np.ndarray
    parent_mirrored: np.ndarray
    prototype: np.ndarray
    begins: np.ndarray


@dataclasses.dataclass(frozen=True)
class _Balls:
    causal: tuple[tuple[int, int, int], ...]
    mirrored: tuple[tuple[int, int, int], ...]
    parent: tuple[tuple[int, int, int], ...]
    parent_mirrored: tuple[tuple[int, int, int], ...]


def _ball(radius: float) -> list[tuple[int, int, int]]:
    reach = range(-int(radius), int(radius) + 1)
    found = [(x, y, z) for x in reach for y in reach for z in reach if x * x + y * y + z * z <= radius * radius]
    return sorted(found, key=lambda d: (d[0] ** 2 + d[1] ** 2 + d[2] ** 2, d))


@functools.cache
def _balls() -> _Balls:
    lines = [step for d in range(-7, -4) for step in ((d, 0, 0), (0, d, 0), (0, 0, d))]
    causal = [d for d in _ball(4.2) if d < (0, 0, 0)] + lines
    return _Balls(tuple(causal), tuple(_ball(2.3)), tuple(_ball(3.2)), tuple(_ball(1.8)))


@functools.cache
def template(resolution: int) -> Template:
    """The features of a level of `resolution`^3 voxels."""
    stride, parent_stride = resolution + 2 * PAD, resolution // 2 + 2 * PAD
    balls = _balls()

    def flat(offsets: Sequence[tuple[int, int, int]], width: int, flip_x: int = 1, flip_y: int = 1) -> list[int]:
        return [(flip_x * x * width + flip_y * y) * width + z for x, y, z in offsets]

    flips = ((-1, 1), (1, -1), (-1, -1))
    coarsest = resolution == BASE
    parent = [] if coarsest else flat(balls.parent, parent_stride)
    mirrored_parent = [] if coarsest else [flat(balls.parent_mirrored, parent_stride, *flip) for flip in flips[:2]]
    sizes = [
        len(balls.causal),
        3 * len(balls.mirrored),
        len(parent),
        sum(map(len, mirrored_parent)),
        3 * resolution,
        8,
        MIRRORS * BUCKETS,
        0 if coarsest else 2 * BUCKETS,
        BASE**3,
        (GRADES - 1) * len(balls.mirrored),
    ]
    return Template(
        resolution,
        stride,
        parent_stride,
        np.array(flat(balls.causal, stride), np.int64),
        np.array([flat(balls.mirrored, stride, *flip) for flip in flips], np.int64),
        np.array(parent, np.int64),
        np.array(mirrored_parent, np.int64).reshape(len(mirrored_parent), -1 if mirrored_parent else 0),
        np.array(flat(balls.mirrored, stride), np.int64),
        np.cumsum([0, *sizes]),
    )


def size(resolution: int) -> int:
    """How many features a voxel of this level has."""
    return int(template(resolution).begins[-1])


def levels(resolution: int) -> tuple[int, ...]:
    """Resolutions of the pyramid, coarse to fine: 8, 16, ... up to `resolution`."""
    return tuple(BASE << k for k in range((resolution // BASE).bit_length()))


def pool(grids: np.ndarray) -> np.ndarray:
    """The next coarser level, (count, n/2, n/2, n/2), of grids (count, n, n, n)."""
    # Axis after axis: a maximum over three at once takes twenty times as long.
    grids = np.maximum(grids[:, ::2], grids[:, 1::2])
    grids = np.maximum(grids[:, :, ::2], grids[:, :, 1::2])
    return np.maximum(grids[..., ::2], grids[..., 1::2])


def at_most(grids: np.ndarray, resolution: int) -> np.ndarray:
    """The finest level of grids (count, n, n, n) that is not finer than this."""
    while grids.shape[1] > resolution:
        grids = pool(grids)
    return grids


def pyramid(grids: np.ndarray) -> list[np.ndarray]:
    """All levels of grids (count, n, n, n), coarse to fine."""
    found = [np.ascontiguousarray(grids, dtype=np.uint8)]
    while found[0].shape[1] > BASE:
        found.insert(0, pool(found[0]))
    return found


def padded(grids: np.ndarray) -> np.ndarray:
    """Grids with an empty border, one flat row each."""
    size = grids.shape[1] + 2 * PAD
    whole = np.zeros((len(grids), size, size, size), grids.dtype)
    whole[:, PAD:-PAD, PAD:-PAD, PAD:-PAD] = grids
    return whole.reshape(len(grids), -1)


@compiled
def position(x: Any, y: Any, z: Any, stride: int) -> Any:
    """Index of a voxel, or of many by arrays of their places, in a padded, flattened grid."""
    return ((x + PAD) * stride + y + PAD) * stride + z + PAD


@compiled
def parent_disagreement(parent: np.ndarray, resolution: int, counts: np.ndarray) -> None:
    """Buckets of how many voxels of the coarser level differ from their images in the mirrors x and y."""
    half = resolution // 2
    stride = half + 2 * PAD
    in_x = in_y = 0
    for x in range(half):
        for y in range(half):
            for z in range(half):
                value = parent[position(x, y, z, stride)]
                in_x += value != parent[position(half - 1 - x, y, z, stride)]
                in_y += value != parent[position(x, half - 1 - y, z, stride)]
    counts[0] = BUCKET_OF[min(in_x, _MOST_COUNTED)]
    counts[1] = BUCKET_OF[min(in_y, _MOST_COUNTED)]


@compiled
def count_disagreement(grid: np.ndarray, x: int, y: int, z: int, template: Template, counts: np.ndarray) -> None:
    """Compares a voxel just coded with those of its images that were coded before it."""
    size, stride = template.resolution, template.stride
    own = position(x, y, z, stride)
    for k in range(MIRRORS):
        shift = k % 3 - 1
        image = position(size - 1 - x + shift, y, z, stride) if k < 3 else position(x, size - 1 - y + shift, z, stride)
        if image < own and grid[image] != grid[own]:
            counts[k] += 1


@compiled
def shape_features(parent: np.ndarray, base: np.ndarray, template: Template, active: np.ndarray) -> int:
    """Features that all voxels of a level share: the 8^3 level, and how well the coarser level is mirrored.

    Args:
        parent: the coarser level, padded and flat.
        base: the 8^3 level, padded and flat.
        template: of the level.
        active: gets the indices of the features that are one.

    Returns:
        How many there are; none at the 8^3 level.
    """
    if template.resolution == BASE:
        return 0
    buckets = np.zeros(2, np.uint8)
    parent_disagreement(parent, template.resolution, buckets)
    active[0] = template.begins[7] + buckets[0]
    active[1] = template.begins[7] + BUCKETS + buckets[1]
    count = 2
    for x in range(BASE):
        for y in range(BASE):
            for z in range(BASE):
                if base[position(x, y, z, BASE + 2 * PAD)]:
                    active[count] = template.begins[8] + (x * BASE + y) * BASE + z
                    count += 1
    return count


@compiled
def cell_features(
    parent: np.ndarray, x: int | np.int64, y: int | np.int64, z: int | np.int64, template: Template, active: np.ndarray
) -> int:
    """Features that the voxels of a cell share: the coarser level around it and around its images in the mirrors.

    Args:
        parent: the coarser level, padded and flat.
        x, y, z: the cell.
        template: of the level of the voxels.
        active: gets the indices of the features that are one.

    Returns:
        How many there are; none at the 8^3 level.
    """
    if template.resolution == BASE:
        return 0
    half, stride, begins = template.resolution // 2, template.parent_stride, template.begins
    count = 0
    # Each index is written and then kept or not: as branches, which nothing predicts, this takes several times as long.
    cell = position(x, y, z, stride)
    for k in range(len(template.parent)):
        active[count] = begins[2] + k
        count += parent[cell + template.parent[k]]
    near = template.parent_mirrored.shape[1]
    for mirror in range(2):
        image = position(half - 1 - x, y, z, stride) if mirror == 0 else position(x, half - 1 - y, z, stride)
        for k in range(near):
            active[count] = begins[3] + mirror * near + k
            count += parent[image + template.parent_mirrored[mirror, k]]
    return count


@compiled
def voxel_features(
    grid: np.ndarray,
    prototype: np.ndarray,
    x: int | np.int64,
    y: int | np.int64,
    z: int | np.int64,
    buckets: np.ndarray,
    template: Template,
    active: np.ndarray,
) -> int:
    """Features of one voxel alone.

    Args:
        grid: its level, padded and flat; what lies at or behind the voxel in raster order is not looked at.
        prototype: grades 0 to 3 of this level, padded and flat.
        x, y, z: the voxel.
        buckets: of the disagreement with each mirror so far, (6,).
        template: of the level.
        active: gets the indices of the features that are one; of a prototype's grade the highest step alone, which stands
            for those below it too (`each_step`, and `cumulated` of the network).

    Returns:
        How many there are.
    """
    size, stride, begins = template.resolution, template.stride, template.begins
    own = position(x, y, z, stride)
    count = 0
    for k in range(len(template.causal)):
        active[count] = k
        count += grid[own + template.causal[k]]
    near = template.mirrored.shape[1]
    for mirror in range(3):
        image = position(x if mirror == 1 else size - 1 - x, y if mirror == 0 else size - 1 - y, z, stride)
        first = begins[1] + mirror * near
        for k in range(near):
            place = image + template.mirrored[mirror, k]
            active[count] = first + k
            count += grid[place] & (place < own)
    if size == BASE:
        for a in range(BASE):
            for b in range(BASE):
                for c in range(BASE):
                    place = position(a, b, c, stride)
                    active[count] = begins[8] + (a * BASE + b) * BASE + c
                    count += grid[place] & (place < own)
    for k in range(len(template.prototype)):
        grade = prototype[own + template.prototype[k]]
        active[count] = begins[9] + (GRADES - 1) * k + grade - 1
        count += grade > 0
    active[count] = begins[4] + x
    active[count + 1] = begins[4] + size + y
    active[count + 2] = begins[4] + 2 * size + z
    active[count + 3] = begins[5] + (x & 1) * 4 + (y & 1) * 2 + (z & 1)
    count += 4
    for k in range(MIRRORS):
        active[count] = begins[6] + k * BUCKETS + buckets[k]
        count += 1
    return count


@compiled
def each_step(active: np.ndarray, count: int, template: Template, bits: np.ndarray) -> None:
    """Sets the bits of all features that these indices of `voxel_features` stand for."""
    first = template.begins[9]
    for k in range(count):
        lowest = active[k] - (active[k] - first) % (GRADES - 1) if active[k] >= first else active[k]
        bits[lowest : active[k] + 1] = 1
