"""What all codecs with latents do alike: grids to latents to symbols to streams, and back."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import numpy as np

from keras3dgan.codec.latent_coder import LatentCoder
from keras3dgan.codec.shape_codec import ShapeCodec


class LatentCodec(ShapeCodec):
    """Compresses grids by an analysis that gives latents, and a synthesis that undoes it.

    Attributes:
        coder: of the latents.
    """

    coder: LatentCoder

    @property
    def resolution(self) -> int:
        return self.coder.resolution

    @property
    def model(self) -> bytes:
        return self.coder.model

    @abc.abstractmethod
    def analyse(self, grids: np.ndarray) -> np.ndarray:
        """Latents (count, k) of grids (count, n, n, n) of zeros and ones."""

    @abc.abstractmethod
    def synthesise(self, latents: np.ndarray) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of latents (count, k)."""

    def encode_batch(self, grids: np.ndarray) -> list[bytes]:
        return self.coder.encode(self.coder.quantize(self.analyse(grids)))

    def decode_batch(self, streams: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        return self.synthesise(self.coder.dequantize(self.coder.decode(streams, names)))
