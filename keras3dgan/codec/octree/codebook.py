"""What a stream names first, so that the networks need not start from nothing: prototypes and known shapes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np

from keras3dgan.codec.octree import classes, features
from keras3dgan.codec.octree.classes import Classes
from keras3dgan.codec.octree.layout import Layout, Length
from keras3dgan.compiled import compiled
from keras3dgan.voxels import grid as voxels

# Of so many streams one begins with nothing, and one with a known shape.
_NOTHING_SHARE, _KNOWN_SHARE = 256, 32
# Prototypes are compared with shapes at this resolution, or that of the shapes where it is less.
_COMPARED = 32
_MOST_KNOWN = 1 << 20
# Of many grids so many are compared with a bound, or unpacked, at a time.
_PART = 256


def layout(resolution: int) -> dict[str, Layout]:
    """What the arrays of a codebook of n^3 grids are like, by their names in a model's file."""
    prototypes, known = Length("prototypes", 0, (1 << 16) - 1), Length("known shapes", 0, _MOST_KNOWN)
    found = {
        f"codebook_{n}": Layout("uint8", (prototypes, n, n, n), 0, features.GRADES - 1)
        for n in features.levels(resolution)
    }
    found["members"] = Layout("uint16", (prototypes,), 1, (1 << 16) - 1)
    found["known"] = Layout("uint8", (known, voxels.packed_size(resolution)), 0, 255)
    return found | classes.layout(prototypes)


class Codebook:
    """Grids of grades, 0 to 3: how often the shapes behind one occupy a voxel (`GRADES` of `features`).

    Numbers count from 0, which is nothing, all grades 0; then come the prototypes, each of which stands for several shapes,
    and then the known shapes, each of which is one, with grades 0 and 3.

    Args:
        grades: of the prototypes, for each level, coarse to fine, uint8 (count, m, m, m).
        known: shapes as bits, uint8 (count, n^3 / 8).
        members: how many shapes each prototype represents, uint16 (count,), at least 1; default: 1 each.
        classes: of which classes they are, where that is known; no decoder needs it.

    Raises:
        ValueError: other numbers of members or of rows of classes than of prototypes, or a number that is 0.
    """

    def __init__(
        self,
        grades: Sequence[np.ndarray],
        known: np.ndarray | None = None,
        members: np.ndarray | None = None,
        classes: Classes | None = None,
    ):
        self.grades = [np.ascontiguousarray(level) for level in grades]
        self._resolution = self.grades[-1].shape[1]
        self.members = np.ones(self.prototypes, np.uint16) if members is None else members.astype(np.uint16)
        if self.members.shape != (self.prototypes,) or (self.members == 0).any():
            raise ValueError("each prototype has members")
        if classes and len(classes.counts) != self.prototypes:
            raise ValueError("each prototype has a row of classes")
        self.classes = classes
        self.weights = self._weights()
        compared = next(level for level in reversed(self.grades) if level.shape[1] <= _COMPARED)
        self._prototype_bits = _Bits(_in_parts(compared, lambda grades: voxels.pack(grades >= 2)))
        empty = np.zeros((0, self._resolution**3 // 8), np.uint8)
        self.known = empty if known is None else np.ascontiguousarray(known)
        finer = self._resolution > _COMPARED
        self._known_bits = _Bits(_in_parts(self.known, self._coarse_bits) if finer else self.known)
        self._rows = {zlib.crc32(row): index for index, row in enumerate(self.known)}

    def _coarse_bits(self, known: np.ndarray) -> np.ndarray:
        """Known shapes, as bits, at the resolution that shapes are compared at."""
        return voxels.pack(features.at_most(voxels.unpack(known, self._resolution), _COMPARED))

    @property
    def prototypes(self) -> int:
        """How many there are."""
        return len(self.grades[0])

    def _weights(self) -> np.ndarray:
        """How likely a stream begins with nothing, each prototype, or a known shape: int64 (2^bits,), 0 for no number."""
        total = int(self.members.sum(dtype=np.int64))
        weights = [1 + total // _NOTHING_SHARE, *self.members.tolist(), 1 + total // _KNOWN_SHARE]
        whole = 1 << (len(weights) - 1).bit_length()
        return np.array(weights + [0] * (whole - len(weights)), np.int64)

    @property
    def bits(self) -> int:
        """Bits that name nothing, a prototype, or (one more) that a known shape follows."""
        return len(self.weights).bit_length() - 1

    @property
    def known_bits(self) -> int:
        """Bits that name a known shape."""
        return max(len(self.known) - 1, 0).bit_length()

    def padded(self, number: int) -> list[np.ndarray]:
        """The grades of a number, coarse to fine, padded and flat."""
        if number <= self.prototypes:
            return [level[0] for level in self.padded_rows(np.array([number]))]
        return [
            features.padded((features.GRADES - 1) * level)[0] for level in features.pyramid(self.shape(number)[None])
        ]

    def padded_rows(self, numbers: np.ndarray) -> list[np.ndarray]:
        """For each level the grades of nothing or of prototypes, by their numbers (count,), padded and flat."""
        rows = np.maximum(numbers - 1, 0)
        named = (numbers > 0)[:, None, None, None]
        if not self.prototypes:
            return [features.padded(np.zeros((len(numbers), *level.shape[1:]), np.uint8)) for level in self.grades]
        return [features.padded(level[rows] * named) for level in self.grades]

    def shape(self, number: int) -> np.ndarray:
        """The shape of a number, uint8 (n, n, n): nothing, what a prototype mostly occupies, or a known shape."""
        if number == 0:
            return np.zeros((self._resolution,) * 3, np.uint8)
        if number <= self.prototypes:
            return (self.grades[-1][number - 1] >= 2).astype(np.uint8)
        return voxels.unpack(self.known[number - self.prototypes - 1], self._resolution)

    def nearest(self, grids: np.ndarray, count: int = 1) -> np.ndarray:
        """Numbers (len(grids), count) of the prototypes with the greatest IoU with each grid (m, n, n, n), best first."""
        if not self.prototypes:
            return np.zeros((len(grids), 1), np.int64)
        compared = features.at_most(grids, _COMPARED)
        return np.stack([self._prototype_bits.nearest(grid, count) for grid in compared]) + 1

    def nearest_coarse(self, grid: np.ndarray, count: int) -> list[int]:
        """Numbers of the prototypes with the greatest IoU with a grid (m, m, m) at its level, best first; 0 without any."""
        return self.nearest_partial(grid, np.ones(grid.shape, bool), count)

    def nearest_partial(self, grid: np.ndarray, known: np.ndarray, count: int) -> list[int]:
        """As `nearest_coarse`, compared only where `known` (m, m, m) is true."""
        if not self.prototypes:
            return [0]
        grades = next(level for level in self.grades if level.shape[1] == len(grid))
        occupied = _in_parts(grades, lambda part: voxels.pack((part >= 2) & known))
        return (_Bits(occupied).nearest((grid > 0) & known, count) + 1).tolist()

    def nearest_known(self, grid: np.ndarray, count: int = 1) -> list[tuple[int, float]]:
        """Numbers of the known shapes with the greatest IoU with a grid (n, n, n), and that IoU, best first."""
        rows = self._known_bits.nearest(features.at_most(grid[None], _COMPARED)[0], count)
        shapes = voxels.unpack(self.known[rows], self._resolution)
        scores = voxels.iou(np.repeat(grid[None], len(rows), axis=0), shapes)
        return [(self.prototypes + 1 + int(row), float(score)) for row, score in zip(rows, scores, strict=True)]

    def equal_known(self, grid: np.ndarray) -> int | None:
        """Number of the known shape that a grid (n, n, n) is."""
        packed = voxels.pack(grid[None])[0]
        row = self._rows.get(zlib.crc32(packed))
        if row is None or not np.array_equal(self.known[row], packed):
            return None
        return self.prototypes + 1 + row


def _in_parts(rows: np.ndarray, work: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What `work` gives for all rows, by few at a time."""
    return np.concatenate([work(rows[start : start + _PART]) for start in range(0, max(len(rows), 1), _PART)])


class _Bits:
    """Grids as words of 64 bits, to be compared with others; made from bits (count, m^3 / 8)."""

    def __init__(self, packed: np.ndarray):
        self._words = packed.view(np.uint64)
        self._volumes = np.bitwise_count(self._words).sum(axis=1, dtype=np.int64)

    def nearest(self, grid: np.ndarray, count: int) -> np.ndarray:
        """Rows of the grids with the greatest IoU with one (m, m, m), best first."""
        [words] = voxels.pack(grid[None]).view(np.uint64)
        both = np.zeros(len(self._words), np.int64)
        _count_common(self._words, words, both)
        iou = both / np.maximum(self._volumes + int(np.bitwise_count(words).sum()) - both, 1)
        return np.argsort(-iou, kind="stable")[:count]


@compiled
def _count_common(rows: np.ndarray, words: np.ndarray, counts: np.ndarray) -> None:
    """Bits that each row has in common with `words`; numpy would write a copy of all rows first."""
    for i in range(len(rows)):
        count = np.uint64(0)
        for k in range(len(words)):
            bits = rows[i, k] & words[k]
            bits -= (bits >> np.uint64(1)) & np.uint64(0x5555555555555555)
            bits = (bits & np.uint64(0x3333333333333333)) + ((bits >> np.uint64(2)) & np.uint64(0x3333333333333333))
            bits = (bits + (bits >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
            count += (bits * np.uint64(0x0101010101010101)) >> np.uint64(56)
        counts[i] = count
