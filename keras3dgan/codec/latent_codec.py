"""What all codecs with latents do alike: grids to latents to symbols to streams, and back."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import numpy as np

from keras3dgan.codec import container
from keras3dgan.codec.goals import Goal, Point, front
from keras3dgan.codec.latent_coder import LatentCoder
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.voxels.grid import iou


class LatentCodec(ShapeCodec):
    """Compresses grids by an analysis that gives latents, and a synthesis that undoes it.

    Attributes:
        coders: of the latents, each of another quantisation step, the one to use unless a goal asks for another first. A stream
            names its own.
        goal: what `encode` is to reach; the first coder's streams unless told.
    """

    coders: list[LatentCoder]
    goal: Goal = Goal()

    @property
    def coder(self) -> LatentCoder:
        """The first of `coders`."""
        return self.coders[0]

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
        latents = self.analyse(grids)
        if self.goal == Goal():
            return self.coder.encode(self.coder.quantize(latents))
        streams: dict[Point, bytes] = {}
        ways: list[list[Point]] = [[] for _ in grids]
        for coder in self.coders:
            symbols = coder.quantize(latents)
            scores = iou(grids, self.synthesise(coder.dequantize(symbols)))
            for row, (stream, score) in enumerate(zip(coder.encode(symbols), scores.tolist(), strict=True)):
                point = Point(container.unwrap(stream, coder.model), score)
                streams[point] = stream
                ways[row].append(point)
        return [streams[point] for point in self.goal.choose([front(points) for points in ways])]

    def decode_batch(self, streams: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        return self.synthesise(np.stack([self._latents(s, n) for s, n in zip(streams, names, strict=True)]))

    def _latents(self, stream: bytes, name: str) -> np.ndarray:
        coder = next((c for c in self.coders if container.is_of(stream, c.model)), self.coder)
        return coder.dequantize(coder.decode([stream], [name]))[0]
