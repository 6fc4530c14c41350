"""What a stream names first, so that the networks need not start from nothing: prototypes and known shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras3dgan.codec.octree import features
from keras3dgan.voxels import grid as voxels

# Prototypes are compared with shapes at this resolution, or that of the shapes where it is less.
_COMPARED = 32


class Codebook:
    """Grids of grades, 0 to 3: how often the shapes behind one occupy a voxel (`GRADES` of `features`).

    Numbers count from 0, which is nothing, all grades 0; then come the prototypes, each of which stands for several shapes,
    and then the known shapes, each of which is one, with grades 0 and 3.

    Args:
        grades: of the prototypes, for each level, coarse to fine, uint8 (count, m, m, m).
        known: shapes as bits, uint8 (count, n^3 / 8).
    """

    def __init__(self, grades: Sequence[np.ndarray], known: np.ndarray | None = None):
        self.grades = [np.ascontiguousarray(level) for level in grades]
        self._resolution = self.grades[-1].shape[1]
        compared = next(level for level in reversed(self.grades) if level.shape[1] <= _COMPARED)
        self._compared = compared.shape[1]
        self._mostly = (compared >= 2).reshape(self.prototypes, -1).astype(np.float32)
        self._volumes = self._mostly.sum(axis=1)
        self.known = np.zeros((0, self._resolution**3 // 8), np.uint8) if known is None else np.ascontiguousarray(known)
        self._words = self.known.view(np.uint64)
        self._known_volumes = np.bitwise_count(self._words).sum(axis=1, dtype=np.int64)

    @property
    def prototypes(self) -> int:
        """How many there are."""
        return len(self.grades[0])

    @property
    def bits(self) -> int:
        """Bits that name nothing, a prototype, or (one more) that a known shape follows."""
        return (self.prototypes + 1).bit_length()

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
        """The known shape of a number, uint8 (n, n, n)."""
        return voxels.unpack(self.known[number - self.prototypes - 1], self._resolution)

    def nearest(self, grids: np.ndarray, count: int = 1) -> np.ndarray:
        """Numbers (len(grids), count) of the prototypes with the greatest IoU with each grid (m, n, n, n), best first."""
        if not self.prototypes:
            return np.zeros((len(grids), 1), np.int64)
        flat = features.at_most(grids, self._compared).reshape(len(grids), -1).astype(np.float32)
        both = flat @ self._mostly.T
        iou = both / np.maximum(flat.sum(axis=1)[:, None] + self._volumes - both, 1)
        return np.argsort(-iou, axis=1, kind="stable")[:, :count] + 1

    def nearest_known(self, grid: np.ndarray, count: int = 1) -> list[tuple[int, float]]:
        """Numbers of the known shapes with the greatest IoU with a grid (n, n, n), and that IoU, best first."""
        words = voxels.pack(grid[None]).view(np.uint64)
        both = np.bitwise_count(self._words & words).sum(axis=1, dtype=np.int64)
        iou = both / np.maximum(self._known_volumes + int(np.bitwise_count(words).sum()) - both, 1)
        rows = np.argsort(-iou, kind="stable")[:count]
        return [(self.prototypes + 1 + int(row), float(iou[row])) for row in rows]
