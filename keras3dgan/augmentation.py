"""Augmentation of training shapes, a pure function of hashes: the same on TensorFlow and on numpy."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.grid import iou, pack
from keras3dgan.voxels.shape_set import ShapeSet

NAMES = ("none", "flip", "rotate", "mirror", "shift", "stretch")
# Of what a discriminator sees (models/adversarial/voxel_r3gan.py).
DIFF_NAMES = ("none", "mirror", "shift", "cutout")
# A mirrored copy is as likely a shape as the original where both are alike.
_ALIKE = 0.6
# Stretching is in steps of 1/1024, by at most 15 percent.
_UNIT, _STRETCH = 1024, 154
_CHUNK = 500
# Numbers that a shape is changed by: a stretch and a shift of each axis, two mirrors.
_DRAWS = 8


def parse(names: str) -> tuple[str, ...]:
    """The augmentations of `mirror,shift` and the like; none of `none`.

    Raises:
        InputError: one is unknown, or two exclude each other.
    """
    words = tuple(word.strip() for word in names.split(","))
    _check(words, NAMES, "augmentation")
    if "flip" in words and "mirror" in words:
        raise InputError("'mirror' mirrors in x already; leave 'flip' out.", "augmentation")
    return () if words == ("none",) else words


def parse_diff(names: str) -> tuple[str, ...]:
    """As `parse`, of what a discriminator sees: `mirror,shift,cutout` and the like."""
    words = tuple(names.split(","))
    _check(words, DIFF_NAMES, "diff_augment")
    return () if words == ("none",) else words


def _check(words: tuple[str, ...], known: tuple[str, ...], setting: str) -> None:
    for word in words:
        if word not in known:
            raise InputError(f"'{word}' is unknown; choose among {', '.join(known)}, by comma.", setting)
    if "none" in words and len(words) > 1:
        raise InputError("'none' stands alone.", setting)


def check_copies(names: str, copies: int) -> None:
    """Raises `InputError` where so many copies would be all alike."""
    if names == "none" and copies > 1:
        raise InputError("copies that nothing changes are all alike; give an augmentation too.", "copies")


class Augmentation:
    """Mirrors, shifts, stretches and turns shapes.

    - `flip`: half of the shapes are mirrored in x.
    - `mirror`: half are mirrored in x, and half in y, if they look much the same afterwards.
    - `stretch`: a shape's extent along each axis changes by up to 15 percent, but for the longest, by which shapes are scaled.
    - `shift`: by up to one voxel along each axis, never out of the grid.
    - `rotate`: by multiples of 90 degrees about z.

    Args:
        names: as `parse` takes them.
        shapes: the shapes that batches are drawn from.

    Example:
        >>> from keras3dgan import data
        >>> shapes = data.load("furniture_voxels", "test")
        >>> rows, keys = np.arange(4), np.array([7, 11, 13, 17])
        >>> Augmentation("mirror,shift", shapes)(np.float32(shapes.grids(rows))[..., None], rows, keys, np).shape
        (4, 32, 32, 32, 1)
    """

    def __init__(self, names: str, shapes: ShapeSet):
        self.names = parse(names)
        self._resolution = shapes.resolution
        self._facts = np.zeros((len(shapes), 8), np.int64)
        if set(self.names) & {"mirror", "shift", "stretch"}:
            starts = range(0, len(shapes), _CHUNK)
            self._facts = np.concatenate([_facts(shapes.grids(slice(s, s + _CHUNK))) for s in starts])

    def __call__(self, voxels: Any, rows: Any, keys: Any, xp: Any) -> Any:
        """Changed shapes.

        Args:
            voxels: float32 (batch, n, n, n, 1).
            rows: int64 (batch,), their places in the set.
            keys: int64 (batch,), a hash for each.
            xp: numpy or TensorFlow's numpy.
        """
        if not self.names:
            return voxels
        if set(self.names) & {"mirror", "shift", "stretch"}:
            draws = hash31(keys[:, None] + xp.arange(_DRAWS, dtype=np.int64))
            facts = xp.take(xp.asarray(self._facts), rows, axis=0)
            voxels = _gather(voxels, [self._sources(facts, draws, axis, xp) for axis in range(3)], xp)
        if "flip" in self.names:
            voxels = xp.where((keys % 2 == 1)[:, None, None, None, None], xp.flip(voxels, 1), voxels)
        if "rotate" in self.names:
            voxels = _turn(voxels, keys // 2 % 4, xp)
        return voxels

    def _sources(self, facts: Any, draws: Any, axis: int, xp: Any) -> Any:
        """The slice that each slice along an axis comes from, (batch, n); n where it is empty. Exact, in half voxels."""
        n = self._resolution
        low, high = facts[:, 2 * axis], facts[:, 2 * axis + 1]
        length, longest = high - low + 1, facts[:, 6]
        scale = xp.ones_like(length) * _UNIT
        if "stretch" in self.names:
            drawn = xp.minimum(_UNIT - _STRETCH + draws[:, axis] % (2 * _STRETCH + 1), longest * _UNIT // length)
            scale = xp.where(length == longest, scale, drawn)
        middle = low + high + 1
        half = -(-length * scale // _UNIT)
        move = xp.zeros_like(length)
        if "shift" in self.names:
            move = draws[:, 3 + axis] % 3 - 1
        move = xp.minimum(xp.maximum(move, -((middle - half) // 2)), (2 * n - middle - half) // 2)
        places = 2 * xp.arange(n, dtype=np.int64)[None, :] + 1
        middle, move, scale = middle[:, None], move[:, None], scale[:, None]
        sources = (middle * scale + (places - middle - 2 * move) * _UNIT) // (2 * scale)
        sources = xp.where((sources < 0) | (sources >= n), n * xp.ones_like(sources), sources)
        if "mirror" in self.names and axis < 2:
            mirrored: Any = (facts[:, 7] // (1 + axis) % 2 == 1) & (draws[:, 6 + axis] % 2 == 1)
            sources = xp.where(mirrored[:, None], xp.flip(sources, 1), sources)
        return sources


def augmented(shapes: ShapeSet, names: str, copies: int, seed: int) -> ShapeSet:
    """So many augmented copies of each shape, all of the first, then all of the second; the same from the same seed.

    Args:
        shapes: the shapes.
        names: as `parse` takes them.
        copies: how many.
        seed: of what is drawn.
    """
    augment = Augmentation(names, shapes)
    packed = []
    for copy in range(copies):
        for start in range(0, len(shapes), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(shapes)))
            keys = hash31(hash31(np.int64(seed)) + copy * len(shapes) + rows)
            voxels = augment(shapes.grids(rows)[..., None].astype(np.float32), rows, keys, np)
            packed.append(pack(voxels[..., 0] > 0.5))
    repeated = shapes.take(np.tile(np.arange(len(shapes)), copies))
    return dataclasses.replace(repeated, packed=np.concatenate(packed))


def _facts(grids: np.ndarray) -> np.ndarray:
    """For each shape (count, 8): first and last occupied slice of each axis, the longest extent, and 1 if it may be mirrored
    in x plus 2 if in y."""
    facts = np.zeros((len(grids), 8), np.int64)
    for axis in range(3):
        filled = np.asarray(grids.any(axis=tuple(other + 1 for other in range(3) if other != axis)))
        facts[:, 2 * axis] = filled.argmax(axis=1)
        facts[:, 2 * axis + 1] = grids.shape[1] - 1 - filled[:, ::-1].argmax(axis=1)
    facts[:, 6] = (facts[:, 1:6:2] - facts[:, 0:6:2]).max(axis=1) + 1
    for axis in range(2):
        facts[:, 7] += (1 + axis) * (iou(grids, np.flip(grids, axis + 1)) > _ALIKE)
    return facts


def _gather(voxels: Any, sources: list[Any], xp: Any) -> Any:
    """Voxels (batch, n, n, n, 1) put together from slices, of which n is an empty one."""
    count, n = voxels.shape[0], voxels.shape[1]
    count = xp.shape(voxels)[0] if count is None else count
    padded = xp.reshape(xp.pad(voxels, [(0, 0), (0, 1), (0, 1), (0, 1), (0, 0)], "constant"), (-1,))
    x, y, z = (
        xp.reshape(source, (-1, *(n if a == axis else 1 for a in range(3)))) for axis, source in enumerate(sources)
    )
    first = xp.reshape(xp.arange(count, dtype=np.int64) * (n + 1) ** 3, (-1, 1, 1, 1))
    return xp.take(padded, first + (x * (n + 1) + y) * (n + 1) + z, axis=0)[..., None]


def _turn(voxels: Any, turns: Any, xp: Any) -> Any:
    """Voxels (batch, n, n, n, 1) turned by quarters about z."""
    turns = turns[:, None, None, None, None]
    swapped = xp.transpose(voxels, (0, 2, 1, 3, 4))
    quarter, three = xp.flip(swapped, 1), xp.flip(swapped, 2)
    half = xp.flip(xp.flip(voxels, 1), 2)
    return xp.where(turns == 1, quarter, xp.where(turns == 2, half, xp.where(turns == 3, three, voxels)))


def hash31(x: Any) -> Any:
    """Mixes the lower 31 bits of non-negative integers; exact in int64 (rounds of Wellons' "hash prospector")."""
    for factor in (0x2C1B3C6D, 0x297A2D39):
        x = x & 0x7FFFFFFF
        x = ((x ^ x // 32768) * factor) & 0x7FFFFFFF
    return x ^ x // 4096
