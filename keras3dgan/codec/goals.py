"""What streams must reach, and which of several ways to send each shape reaches it."""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Iterable, Sequence
from typing import Any

from keras3dgan.codec.origin import Origin
from keras3dgan.errors import InputError


class GoalError(InputError):
    """A goal is out of the model's reach for some of the shapes.

    Example:
        >>> from keras3dgan import codec
        >>> try:
        ...     codec.load("octree32", codec.Goal(bytes=5)).encode(np.ones((1, 32, 32, 32), np.uint8))
        ... except GoalError as error:
        ...     print(error.setting)
        bytes
    """


@dataclasses.dataclass(frozen=True)
class Goal:
    """The codec's own best, every voxel exact where it can, by default; else one of these.

    Bytes are those of the shape's own `.g3c` file, or its part of a `.g3a` archive: its share of a block and of the block's
    checksum and size, without its name and the archive's header and index (`ArchiveWriter.shape_bytes`).

    Attributes:
        bytes: at most so many for each shape, with the greatest IoU.
        mean_bytes: at most so many on average over the shapes of one call, with the greatest mean IoU.
        min_iou: at least this IoU for each shape, with the fewest bytes.
        latent_steps: steps of gradient descent by which a codec of latents looks for better ones than its encoder gives; what is
            restored is nearer, and encoding takes some hundred times as long.

    Raises:
        InputError: more than one is given, or one is out of its range.

    Example:
        >>> Goal(min_iou=0.9)
        Goal(bytes=None, mean_bytes=None, min_iou=0.9, latent_steps=0)
    """

    bytes: int | None = None
    mean_bytes: float | None = None
    min_iou: float | None = None
    latent_steps: int = 0

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.bytes, self.mean_bytes, self.min_iou)) > 1:
            raise InputError("give one of bytes, mean_bytes and min_iou.", "goal")
        if self.min_iou is not None and not 0 < self.min_iou <= 1:
            raise InputError(f"must be above 0 and at most 1, got {self.min_iou}.", "min_iou")
        for name in ("bytes", "mean_bytes"):
            if (value := getattr(self, name)) is not None and not 1 <= value < math.inf:
                raise InputError(f"must be at least 1, got {value}.", name)
        if self.latent_steps < 0:
            raise InputError(f"must be at least 0, got {self.latent_steps}.", "latent_steps")

    @property
    def bounded(self) -> bool:
        """Whether bytes or IoU are bounded."""
        return (self.bytes, self.mean_bytes, self.min_iou) != (None, None, None)

    def choose(self, choices: Sequence[Sequence[Point]]) -> list[Point]:
        """One point for each shape.

        Args:
            choices: for each shape what `front` gave.

        Raises:
            GoalError: no point reaches what is wanted; the message says what would do.
        """
        if self.mean_bytes is not None:
            return self._share(choices, self.mean_bytes)
        if self.min_iou is not None:
            return [self._good(found, self.min_iou) for found in choices]
        if self.bytes is not None:
            return [self._small(found, self.bytes) for found in choices]
        return [found[-1] for found in choices]

    @staticmethod
    def _share(choices: Sequence[Sequence[Point]], mean: float) -> list[Point]:
        chosen = share(choices, mean * len(choices))
        taken = sum(point.size for point in chosen) / max(len(chosen), 1)
        if taken > mean:
            raise GoalError(f"{mean} are too few; give at least {taken:.1f}.", "mean_bytes")
        return chosen

    @staticmethod
    def _good(found: Sequence[Point], least: float) -> Point:
        for point in found:
            if point.iou >= least:
                return point
        raise GoalError(
            f"{least} is out of this model's reach; a shape gets to {found[-1].iou:.3f} at most.", "min_iou"
        )

    @staticmethod
    def _small(found: Sequence[Point], most: int) -> Point:
        small = [point for point in found if point.size <= most]
        if not small:
            placed = ", or --nokeep_placement" if found[0].origin.place else ""
            raise GoalError(f"{most} are too few for a shape here; give at least {found[0].size:.1f}{placed}.", "bytes")
        return small[-1]


@dataclasses.dataclass(frozen=True)
class Point:
    """One way to send a shape.

    Attributes:
        way: what its codec needs to write it.
        size: bytes that it takes at most, in the file for which it was made; nan where they have not been counted.
        iou: of what will be restored with the shape; nan where nobody has asked for it.
        origin: how the shape lay in its file, and the pose in which it is coded.

    Example:
        >>> from keras3dgan import codec
        >>> [point] = codec.load("octree32").choose(np.ones((1, 32, 32, 32), np.uint8))
        >>> point.iou
        1.0
    """

    way: Any
    size: float
    iou: float
    origin: Origin = Origin()


def front(points: Iterable[Point]) -> list[Point]:
    """Those points that are better than all as short, from short to good."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.size, -point.iou)):
        if not best or point.iou > best[-1].iou:
            best.append(point)
    return best


def share(choices: Sequence[Sequence[Point]], room: float) -> list[Point]:
    """One point for each shape, with the greatest mean IoU for the bytes of all shapes together.

    Args:
        choices: for each shape what `front` gave.
        room: how many bytes there are for all; the shortest points are taken where they do not fit.
    """
    hulls = [_hull(found) for found in choices]
    taken = [0] * len(hulls)
    left = room - sum(hull[0].size for hull in hulls)
    steps = [(-_gain(hull, 0), row) for row, hull in enumerate(hulls) if len(hull) > 1]
    heapq.heapify(steps)
    while steps:
        _, row = heapq.heappop(steps)
        hull, at = hulls[row], taken[row]
        cost = hull[at + 1].size - hull[at].size
        if cost > left:
            continue
        left -= cost
        taken[row] = at + 1
        if at + 2 < len(hull):
            heapq.heappush(steps, (-_gain(hull, at + 1), row))
    chosen = [hull[at] for hull, at in zip(hulls, taken, strict=True)]
    for row, found in enumerate(choices):  # what is left is too little for any step, but not for one between
        best = [point for point in found if point.size <= chosen[row].size + max(left, 0)][-1]
        left -= best.size - chosen[row].size
        chosen[row] = best
    return chosen


def _gain(hull: Sequence[Point], at: int) -> float:
    """IoU for a byte, from one point to the next."""
    return (hull[at + 1].iou - hull[at].iou) / (hull[at + 1].size - hull[at].size)


def _hull(found: Sequence[Point]) -> list[Point]:
    """Those points whose gains only fall."""
    hull: list[Point] = []
    for point in found:
        hull.append(point)
        while len(hull) > 2 and _gain(hull, len(hull) - 2) >= _gain(hull, len(hull) - 3):
            del hull[-2]
    return hull
