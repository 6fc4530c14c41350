"""What every codec does: grids to `.g3c` streams and back, one or many at a time."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import numpy as np


class ShapeCodec(abc.ABC):
    """Compresses shapes."""

    @property
    @abc.abstractmethod
    def resolution(self) -> int:
        """n of the n^3 grids."""

    @property
    @abc.abstractmethod
    def model(self) -> bytes:
        """What names the decoder and its tables; its first bytes stand in every stream."""

    @abc.abstractmethod
    def encode_batch(self, grids: np.ndarray) -> list[bytes]:
        """One stream for each of the grids (count, n, n, n)."""

    @abc.abstractmethod
    def decode_batch(self, streams: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of streams, which errors call by these names."""

    def encode(self, grids: np.ndarray) -> Any:
        """Compresses a grid, or many.

        Args:
            grids: (n, n, n) or (count, n, n, n) of zeros and ones, n as the model's.

        Returns:
            A `.g3c` stream, or a list of them.

        Raises:
            ValueError: grids of another shape.
        """
        grids = np.asarray(grids)
        if grids.ndim not in (3, 4) or grids.shape[-3:] != (self.resolution,) * 3:
            raise ValueError(f"expected grids (count, {self.resolution}^3), got shape {grids.shape}")
        return self.encode_batch(grids) if grids.ndim == 4 else self.encode_batch(grids[None])[0]

    def decode(self, streams: bytes | Sequence[bytes], names: Sequence[str] | None = None) -> np.ndarray:
        """Restores a shape, or many.

        Args:
            streams: content of a `.g3c` file, or of several.
            names: what to call them in error messages.

        Returns:
            float32 occupancy (n, n, n) or (count, n, n, n) in [0, 1]; above 0.5 a voxel is occupied.

        Raises:
            InputError: a stream is damaged, or was written by another model.
        """
        if isinstance(streams, bytes):
            return self.decode_batch([streams], names or ["stream"])[0]
        return self.decode_batch(streams, names or [f"stream {index}" for index in range(len(streams))])
