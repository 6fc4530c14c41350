"""The octree model as a codec: shapes exactly, or within a number of bytes, or at least as good as wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras3dgan.codec import container
from keras3dgan.codec.octree import search
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.errors import InputError


@dataclasses.dataclass(frozen=True)
class Goal:
    """What a stream must reach; every voxel exact, if neither is told.

    Attributes:
        bytes: at most so many, header included, with the greatest IoU.
        min_iou: at least this IoU, with the fewest bytes.
    """

    bytes: int | None = None
    min_iou: float | None = None


class OctreeCodec(ShapeCodec):
    """Compresses grids by predicting them voxel by voxel.

    Every stream is decoded before it is given away.

    Args:
        octree: the trained model.
        goal: what `encode` is to reach.
    """

    def __init__(self, octree: OctreeModel, goal: Goal = Goal()):
        self.octree = octree
        self.goal = goal

    @property
    def resolution(self) -> int:
        return self.octree.resolution

    @property
    def model(self) -> bytes:
        return self.octree.fingerprint

    def encode_batch(self, grids: np.ndarray) -> list[bytes]:
        return [self._encode((grid > 0).astype(np.uint8)) for grid in grids]

    def _encode(self, grid: np.ndarray) -> bytes:
        if self.goal == Goal():
            wanted, payload = grid, self.octree.encode(grid)
        else:
            point = self._choose(grid)
            wanted, payload = point.grid, point.payload
        if not np.array_equal(self.octree.decode(payload), wanted):
            raise RuntimeError("the stream does not restore the shape; please report this with the shape")
        return container.wrap(payload, self.model)

    def _choose(self, grid: np.ndarray) -> search.Point:
        found = search.points(self.octree, grid)
        if self.goal.min_iou is not None:
            good = [point for point in found if point.iou >= self.goal.min_iou]
            return min(good, key=lambda point: len(point.payload))
        room = (self.goal.bytes or 0) - container.OVERHEAD
        small = [point for point in found if len(point.payload) <= room]
        if not small:
            least = min(len(point.payload) for point in found) + container.OVERHEAD
            raise InputError(f"--bytes: {self.goal.bytes} are too few for this shape; give at least {least}.")
        return max(small, key=lambda point: point.iou)

    def decode_batch(self, streams: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        payloads = [container.unwrap(s, self.model, n) for s, n in zip(streams, names, strict=True)]
        grids = [self._decode(payload, name) for payload, name in zip(payloads, names, strict=True)]
        return np.array(grids, np.float32).reshape(-1, *(self.resolution,) * 3)

    def _decode(self, payload: bytes, name: str) -> np.ndarray:
        if len(payload) > self.octree.most_bytes:
            raise InputError(f"{name}: damaged, it is longer than any stream of its model; get the file again.")
        return self.octree.decode(payload)
