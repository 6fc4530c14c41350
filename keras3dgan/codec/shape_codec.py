"""What every codec does: grids to `.g3c` streams or blocks of a `.g3a` archive, and back, one or many at a time."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras3dgan.codec import container
from keras3dgan.codec.goals import GoalError, Point
from keras3dgan.codec.origin import Origin
from keras3dgan.voxels.pose import turn_back


class ShapeCodec(abc.ABC):
    """Compresses shapes."""

    @property
    @abc.abstractmethod
    def resolution(self) -> int:
        """n of the n^3 grids."""

    @property
    @abc.abstractmethod
    def fingerprint(self) -> bytes:
        """Of the decoder and its tables; every file holds its first bytes."""

    @abc.abstractmethod
    def choose(self, grids: np.ndarray, archived: bool = False, origins: Sequence[Origin] | None = None) -> list[Point]:
        """How each of the grids (count, n, n, n) is sent, as the codec's goal wants.

        Args:
            grids: zeros and ones.
            archived: whether they go into an archive, where they take other bytes than on their own.
            origins: how each lay in its file; the codec says into which pose it was turned, and counts what all that takes.

        Raises:
            GoalError: the goal cannot be reached.
        """

    @abc.abstractmethod
    def streams(self, points: Sequence[Point]) -> list[bytes]:
        """The `.g3c` stream of each point."""

    @abc.abstractmethod
    def blocks(self, groups: Sequence[Sequence[Point]]) -> list[bytes]:
        """For each group of points one block, which holds all of its shapes."""

    @abc.abstractmethod
    def decode_streams(self, streams: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of streams, in the poses in which they are coded.

        Args:
            streams: contents of files.
            names: what errors call them.
        """

    @abc.abstractmethod
    def decode_block(self, block: bytes, count: int, name: str) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of a block of so many shapes, in the poses in which they are coded.

        Args:
            block: the payload.
            count: how many shapes it holds.
            name: what errors call it.

        Raises:
            InputError: it is damaged in a way that shows.
        """

    def choose_each(
        self, grids: np.ndarray, archived: bool = False, origins: Sequence[Origin] | None = None
    ) -> list[Point | GoalError]:
        """As `choose`; where the goal cannot be reached for all together, each shape is tried alone, and gets its own error."""
        try:
            return [*self.choose(grids, archived, origins)]
        except GoalError as error:
            if len(grids) == 1:
                return [error]
            of_each = origins or [Origin()] * len(grids)
            return [
                self.choose_each(grid[None], archived, [origin])[0] for grid, origin in zip(grids, of_each, strict=True)
            ]

    def encode(self, grids: np.ndarray) -> Any:
        """Compresses a grid, or many.

        Args:
            grids: (n, n, n) or (count, n, n, n) of zeros and ones, n as the model's.

        Returns:
            A `.g3c` stream, or a list of them.

        Raises:
            ValueError: grids of another shape.
            GoalError: the codec's goal cannot be reached.
        """
        grids = np.asarray(grids)
        if grids.ndim not in (3, 4) or grids.shape[-3:] != (self.resolution,) * 3:
            raise ValueError(f"expected grids (count, {self.resolution}^3), got shape {grids.shape}")
        if not len(grids):
            return []
        streams = self.streams(self.choose(grids if grids.ndim == 4 else grids[None]))
        return streams if grids.ndim == 4 else streams[0]

    def decode(self, streams: bytes | Sequence[bytes], names: Sequence[str] | None = None) -> np.ndarray:
        """Restores a shape, or many.

        Args:
            streams: content of a `.g3c` file, or of several.
            names: what to call them in error messages.

        Returns:
            float32 occupancy (n, n, n) or (count, n, n, n) in [0, 1], z up; above 0.5 a voxel is occupied.

        Raises:
            InputError: a stream is damaged, or was written by another model.
        """
        if isinstance(streams, bytes):
            return self.decode([streams], names or ["stream"])[0]
        if not streams:
            return np.zeros((0, *(self.resolution,) * 3), np.float32)
        grids = self.decode_streams(streams, names or [f"stream {index}" for index in range(len(streams))])
        return turned_back([container.origin(stream) for stream in streams], grids)


def turned_back(origins: Sequence[Origin], grids: np.ndarray) -> np.ndarray:
    """Decoded grids (count, n, n, n) as they stood before they were turned into their poses."""
    return np.stack([turn_back(grid, origin.pose) for origin, grid in zip(origins, grids, strict=True)])
