"""Prototypes of shapes: what a stream names first, in about a byte, so that the networks need not start from nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras3dgan.codec.octree import features


class Codebook:
    """Grids of grades, 0 to 3: how often the shapes behind a prototype occupy a voxel (`GRADES` of `features`).

    Number 0 is no prototype: all grades 0.

    Args:
        grades: for each level, coarse to fine, uint8 (count, m, m, m).

    Attributes:
        all_padded: for each level the grades by number, 0 included, padded and flat.
    """

    def __init__(self, grades: Sequence[np.ndarray]):
        self.grades = [np.ascontiguousarray(level) for level in grades]
        none = [np.zeros((1, *level.shape[1:]), np.uint8) for level in self.grades]
        self.all_padded = [features.padded(np.concatenate(pair)) for pair in zip(none, self.grades, strict=True)]
        self._mostly = (self.grades[-1] >= 2).reshape(len(self), -1).astype(np.float32)
        self._volumes = self._mostly.sum(axis=1)

    def __len__(self) -> int:
        """Number of prototypes, without number 0."""
        return len(self.grades[0])

    @property
    def bits(self) -> int:
        """Bits that name a prototype."""
        return len(self).bit_length()

    def padded(self, number: int) -> list[np.ndarray]:
        """The grades of a prototype, coarse to fine, padded and flat."""
        return [level[number] for level in self.all_padded]

    def nearest(self, grids: np.ndarray, count: int = 1) -> np.ndarray:
        """Numbers (len(grids), count) of the prototypes with the greatest IoU with each grid (m, n, n, n), best first."""
        if not len(self):
            return np.zeros((len(grids), 1), np.int64)
        flat = grids.reshape(len(grids), -1).astype(np.float32)
        both = flat @ self._mostly.T
        iou = both / np.maximum(flat.sum(axis=1)[:, None] + self._volumes - both, 1)
        return np.argsort(-iou, axis=1, kind="stable")[:, :count] + 1
