"""The octree model as a codec: shapes exactly, or within a number of bytes, or at least as good as wanted."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from keras3dgan.codec import container
from keras3dgan.codec.octree import search
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.errors import InputError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Goal:
    """What streams must reach; every voxel exact, if nothing is told, else one of these.

    Attributes:
        bytes: at most so many for each, header included, with the greatest IoU.
        mean_bytes: at most so many on average over the shapes of one call, header included, with the greatest mean IoU.
        min_iou: at least this IoU for each, with the fewest bytes.

    Raises:
        InputError: more than one is given, or one is out of its range.
    """

    bytes: int | None = None
    mean_bytes: float | None = None
    min_iou: float | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in dataclasses.astuple(self)) > 1:
            raise InputError("give one of --lossless, --bytes, --mean_bytes and --min_iou.")
        if self.min_iou is not None and not 0 < self.min_iou <= 1:
            raise InputError(f"--min_iou: must be above 0 and at most 1, got {self.min_iou}.")
        for name in ("bytes", "mean_bytes"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise InputError(f"--{name}: must be at least 1, got {value}.")


class OctreeCodec(ShapeCodec):
    """Compresses grids by predicting them voxel by voxel.

    Every stream is decoded before it is given away. Shapes of one call are shared out among the processor's cores.

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
        wanted = [(grid > 0).astype(np.uint8) for grid in grids]
        if self.goal == Goal():
            sent, payloads = wanted, _on_all_cores(self.octree.encode, wanted)
        else:
            chosen = self._choose(wanted)
            sent, payloads = [point.grid for point in chosen], [point.payload for point in chosen]
        for grid, restored in zip(sent, _on_all_cores(self.octree.decode, payloads), strict=True):
            if not np.array_equal(grid, restored):
                raise RuntimeError("a stream does not restore its shape; please report this with the shape")
        return [container.wrap(payload, self.model) for payload in payloads]

    def _choose(self, grids: list[np.ndarray]) -> list[search.Point]:
        choices = _on_all_cores(lambda grid: search.points(self.octree, grid), grids)
        if self.goal.mean_bytes is not None:
            return self._share(choices, int((self.goal.mean_bytes - container.OVERHEAD) * len(grids)))
        if self.goal.min_iou is not None:
            least = self.goal.min_iou
            return [next(point for point in found if point.iou >= least) for found in choices]
        return [self._longest(found, (self.goal.bytes or 0) - container.OVERHEAD) for found in choices]

    def _share(self, choices: list[list[search.Point]], room: int) -> list[search.Point]:
        chosen = search.share(choices, room)
        taken = sum(len(point.payload) for point in chosen)
        if taken > room:
            least = taken / len(chosen) + container.OVERHEAD
            raise InputError(f"--mean_bytes: {self.goal.mean_bytes} are too few; give at least {least:.1f}.")
        return chosen

    def _longest(self, found: list[search.Point], room: int) -> search.Point:
        small = [point for point in found if len(point.payload) <= room]
        if not small:
            least = len(found[0].payload) + container.OVERHEAD
            raise InputError(f"--bytes: {self.goal.bytes} are too few for this shape; give at least {least}.")
        return small[-1]

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
