"""The octree model as a codec: shapes exactly, or within a number of bytes, or at least as good as wanted."""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from keras3dgan.codec import container
from keras3dgan.codec.goals import Goal, Point
from keras3dgan.codec.octree import search
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.errors import InputError
from keras3dgan.voxels.grid import iou

T = TypeVar("T")


class OctreeCodec(ShapeCodec):
    """Compresses grids by predicting them voxel by voxel.

    Every stream is decoded before it is given away. Shapes of one call are shared out among the processor's cores.

    Args:
        octree: the trained model.
        goal: what `encode` is to reach; every voxel exact unless told.
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
        wanted = [(grid > 0).astype(np.uint8) for grid in grids]
        if self.goal in (Goal(), Goal(min_iou=1.0)):
            points = [Point(payload, 1.0) for payload in _on_all_cores(self.octree.encode, wanted)]
        else:
            points = self.goal.choose(_on_all_cores(lambda grid: search.points(self.octree, grid), wanted))
        restored = _on_all_cores(self.octree.decode, [point.payload for point in points])
        for grid, again, point in zip(wanted, restored, points, strict=True):
            if iou(grid[None], again[None])[0] != point.iou:
                raise RuntimeError("a stream does not restore its shape; please report this with the shape")
        return [container.wrap(point.payload, self.model) for point in points]

    def decode_batch(self, streams: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        payloads = [container.unwrap(s, self.model, n) for s, n in zip(streams, names, strict=True)]
        for payload, name in zip(payloads, names, strict=True):
            if len(payload) > self.octree.most_bytes:
                raise InputError(f"{name}: damaged, it is longer than any stream of its model; get the file again.")
        grids = _on_all_cores(self.octree.decode, payloads)
        return np.array(grids, np.float32).reshape(-1, *(self.resolution,) * 3)


def _on_all_cores(work: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
    """Does it for every item; numba releases the interpreter's lock."""
    if len(items) < 2:
        return [work(item) for item in items]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(work, items))
