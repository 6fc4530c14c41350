"""What all codecs with latents do alike: grids to latents to symbols to streams, and back."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import numpy as np

from keras3dgan.codec.latent_coder import LatentCoder


class LatentCodec(abc.ABC):
    """Compresses grids by an analysis that gives latents, and a synthesis that undoes it.

    Attributes:
        coder: of the latents.
        resolution: n of the n^3 grids.
    """

    coder: LatentCoder

    @property
    def resolution(self) -> int:
        return self.coder.resolution

    @abc.abstractmethod
    def analyse(self, grids: np.ndarray) -> np.ndarray:
        """Latents (count, k) of grids (count, n, n, n) of zeros and ones."""

    @abc.abstractmethod
    def synthesise(self, latents: np.ndarray) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of latents (count, k)."""

    def encode(self, grids: np.ndarray) -> list[bytes]:
        """Compresses grids.

        Args:
            grids: (count, n, n, n) of zeros and ones, n as the model's.

        Returns:
            One `.g3c` stream for each.
        """
        if grids.ndim != 4 or grids.shape[1:] != (self.resolution,) * 3:
            raise ValueError(f"expected grids (count, {self.resolution}^3), got shape {grids.shape}")
        return self.coder.encode(self.coder.quantize(self.analyse(grids)))

    def decode(self, streams: Sequence[bytes], names: Sequence[str] | None = None) -> np.ndarray:
        """Restores shapes.

        Args:
            streams: contents of `.g3c` files.
            names: what to call them in error messages.

        Returns:
            float32 occupancy (count, n, n, n) in [0, 1]; above 0.5 a voxel is occupied.

        Raises:
            InputError: a stream is damaged, or was written by another model.
        """
        return self.synthesise(self.coder.dequantize(self.coder.decode(streams, names)))
