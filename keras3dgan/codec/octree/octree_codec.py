"""The octree model as a codec: shapes exactly, or within a number of bytes, or at least as good as wanted."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import math
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from keras3dgan.codec import archive, container
from keras3dgan.codec.goals import Goal, Point, front
from keras3dgan.codec.octree import search
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.octree.sampler import Sampler
from keras3dgan.codec.octree.search import Way
from keras3dgan.codec.origin import Origin
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.errors import InputError
from keras3dgan.voxels import pose

T = TypeVar("T")
# What rounding of costs and intervals may add to a stream, in bytes.
_SLACK = 1 / 32


class OctreeCodec(ShapeCodec):
    """Compresses grids by predicting them voxel by voxel, and draws new ones from the same predictions.

    Every stream is decoded before it is given away. Shapes of one call are shared out among the processor's cores.

    Args:
        octree: the trained model.
        goal: what `encode` is to reach; default: every voxel exact.
        poses: into which a shape may be turned where it takes fewer bytes then; it comes back as it was.

    Raises:
        InputError: the goal asks for steps on latents, which there are none of.

    Example:
        >>> from keras3dgan import codec
        >>> exact = codec.load()
        >>> chairs = exact.sample(2, temperature=0.8, seed=1, classes=["chair"])
        >>> bool((exact.decode(exact.encode(chairs)) == chairs).all())
        True
    """

    def __init__(self, octree: OctreeModel, goal: Goal = Goal(), poses: Sequence[int] = range(pose.COUNT)):
        if goal.latent_steps:
            raise InputError("an octree model has no latents to look for; leave it out.", "latent_steps")
        self.octree = octree
        self.goal = goal
        self.poses = poses

    @property
    def resolution(self) -> int:
        return self.octree.resolution

    @property
    def fingerprint(self) -> bytes:
        return self.octree.fingerprint

    def choose(self, grids: np.ndarray, archived: bool = False, origins: Sequence[Origin] | None = None) -> list[Point]:
        wanted = [(grid > 0).astype(np.uint8) for grid in grids]
        lay = origins or [Origin()] * len(wanted)
        choices = _on_all_cores(lambda row: self._points(wanted[row], lay[row], archived), range(len(wanted)))
        return self.goal.choose(choices)

    def _points(self, grid: np.ndarray, origin: Origin, archived: bool) -> list[Point]:
        """The ways to send a shape that may serve the goal."""
        turned, way = search.turned(self.octree, grid, self.poses, archive.TURNING if archived else 0)
        origin = dataclasses.replace(origin, pose=turned)
        # A shape that is to come back exactly is sent in the one way that there is.
        exact = not self.goal.bounded or self.goal.min_iou == 1
        return points([way] if exact else [way, *search.ways(self.octree, way.grid)], archived, origin)

    def streams(self, points: Sequence[Point]) -> list[bytes]:
        payloads = self._payloads([[point] for point in points])
        return [
            container.wrap(payload, self.fingerprint, point.origin)
            for payload, point in zip(payloads, points, strict=True)
        ]

    def blocks(self, groups: Sequence[Sequence[Point]]) -> list[bytes]:
        return self._payloads(groups)

    def _payloads(self, groups: Sequence[Sequence[Point]]) -> list[bytes]:
        return _on_all_cores(self._payload, [[point.way for point in group] for group in groups])

    def _payload(self, ways: Sequence[Way]) -> bytes:
        grids = np.stack([way.grid for way in ways])
        payload = self.octree.encode(grids, [way.start for way in ways])
        if not np.array_equal(self.octree.decode(payload, len(ways)), grids):
            raise RuntimeError("a stream does not restore its shape; please report this with the shape")
        return payload

    def decode_streams(self, streams: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        payloads = [container.unwrap(s, self.fingerprint, n) for s, n in zip(streams, names, strict=True)]
        for payload, name in zip(payloads, names, strict=True):
            self._check(payload, 1, name)
        return np.concatenate(_on_all_cores(self.octree.decode, payloads)).astype(np.float32)

    def decode_block(self, block: bytes, count: int, name: str) -> np.ndarray:
        self._check(block, count, name)
        return self.octree.decode(block, count).astype(np.float32)

    def sample(self, count: int, temperature: float = 0.8, seed: int = 1, classes: Sequence[str] = ()) -> np.ndarray:
        """New shapes, the same from the same seed on every machine; the first ones of many are those of few.

        Args:
            count: how many, at least 1.
            temperature: 0.1 to 10; 1 draws what the model thinks shapes are like, less what it thinks likely.
            seed: not negative.
            classes: only shapes that start like those of these classes; default: all.

        Returns:
            uint8 (count, n, n, n).

        Raises:
            InputError: another temperature, or a class that the model does not know.
        """
        sampler = Sampler(self.octree, temperature)
        return np.stack(_on_all_cores(lambda index: sampler.sample(seed, index, classes), range(count)))

    def refine(
        self,
        grids: np.ndarray,
        resolution: int | None = None,
        temperature: float = 0.8,
        seed: int = 1,
        likely: bool = False,
    ) -> np.ndarray:
        """Finer versions of shapes, that are the shapes again when pooled (`Sampler.refine`).

        Args:
            grids: (count, m, m, m) of zeros and ones, m of one of the model's levels.
            resolution: to reach, of one of the model's levels; default: the model's.
            temperature: as of `sample`.
            seed: not negative.
            likely: every voxel becomes what it is more likely to be, and nothing is drawn.

        Returns:
            uint8 (count, resolution, resolution, resolution).

        Raises:
            InputError: another temperature, or the model has no such level.
        """
        sampler, to = Sampler(self.octree, temperature), resolution or self.resolution
        numbered = [*enumerate(grids)]
        return np.stack(_on_all_cores(lambda each: sampler.refine(each[1], to, seed, each[0], likely), numbered))

    def complete(
        self,
        grid: np.ndarray,
        known: np.ndarray,
        count: int = 1,
        temperature: float = 0.8,
        seed: int = 1,
        candidates: int = 16,
    ) -> np.ndarray:
        """Whole shapes that hold the known voxels of one (`Sampler.complete`).

        Args:
            grid: (n, n, n) of zeros and ones.
            known: boolean (n, n, n), which voxels of `grid` are known.
            count: how many, at least 1.
            temperature: as of `sample`.
            seed: not negative.
            candidates: shapes drawn for each, of which one is chosen by how well it explains the known voxels.

        Returns:
            uint8 (count, n, n, n).

        Raises:
            InputError: another temperature.
            ValueError: grids of another shape, or no candidates.
        """
        sampler = Sampler(self.octree, temperature)
        numbers = range(count)
        return np.stack(_on_all_cores(lambda index: sampler.complete(grid, known, seed, index, candidates), numbers))

    def _check(self, payload: bytes, count: int, name: str) -> None:
        if len(payload) > count * self.octree.most_bytes:
            raise InputError(f"{name}: damaged, it is longer than any stream of its model; get the file again.")


def size(way: Way, archived: bool, origin: Origin = Origin()) -> float:
    """The most bytes that a way to send a shape takes, in its own file or in an archive."""
    if archived:
        return way.cost + archive.SHARE + archive.of_origin(origin)
    return math.ceil(way.cost + _SLACK) + container.OVERHEAD + len(origin.place)


def points(ways: Sequence[Way], archived: bool, origin: Origin = Origin()) -> list[Point]:
    """Those ways that are better than all as short."""
    return front([Point(way, size(way, archived, origin), way.iou, origin) for way in ways])


def _on_all_cores(work: Callable[[Any], T], items: Sequence[Any]) -> list[T]:
    """Does it for every item; numba releases the interpreter's lock."""
    if len(items) < 2:
        return [work(item) for item in items]
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        return list(pool.map(work, items))
