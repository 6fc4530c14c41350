"""What all codecs with latents do alike: grids to latents to symbols to bytes, and back."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence

import numpy as np

from keras3dgan.codec import archive, container, varints
from keras3dgan.codec.goals import Goal, Point, front
from keras3dgan.codec.latent.entropy_coder import EntropyCoder
from keras3dgan.codec.origin import Origin
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.errors import InputError
from keras3dgan.voxels.grid import iou

# Which coder, and its payload.
Way = tuple[int, bytes]


class LatentCodec(ShapeCodec):
    """Compresses grids by an analysis that gives latents, and a synthesis that undoes it.

    Attributes:
        coders: of the latents, each of another quantisation step, the default first. A stream
            names its own.
        goal: what `encode` is to reach; default: the first coder's streams.
    """

    coders: list[EntropyCoder]
    goal: Goal = Goal()

    @property
    def coder(self) -> EntropyCoder:
        """The first of `coders`."""
        return self.coders[0]

    @property
    def resolution(self) -> int:
        return self.coder.resolution

    @property
    def fingerprint(self) -> bytes:
        return self.coder.fingerprint

    @abc.abstractmethod
    def analyse(self, grids: np.ndarray) -> np.ndarray:
        """Latents (count, k) of grids (count, n, n, n) of zeros and ones."""

    @abc.abstractmethod
    def synthesise(self, latents: np.ndarray) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of latents (count, k)."""

    def choose(self, grids: np.ndarray, archived: bool = False, origins: Sequence[Origin] | None = None) -> list[Point]:
        latents = self.analyse(grids)
        origins = origins or [Origin()] * len(grids)
        if not self.goal.bounded:
            payloads = self.coder.encode(self.coder.quantize(latents))
            return [
                Point((0, payload), self._size(payload, archived, origin), math.nan, origin)
                for payload, origin in zip(payloads, origins, strict=True)
            ]
        ways: list[list[Point]] = [[] for _ in grids]
        for number, coder in enumerate(self.coders):
            symbols = coder.quantize(latents)
            scores = iou(grids, self.synthesise(coder.dequantize(symbols))).tolist()
            for found, payload, score, origin in zip(ways, coder.encode(symbols), scores, origins, strict=True):
                found.append(Point((number, payload), self._size(payload, archived, origin), score, origin))
        return self.goal.choose([front(found) for found in ways])

    def streams(self, points: Sequence[Point]) -> list[bytes]:
        ways: list[tuple[Way, Origin]] = [(point.way, point.origin) for point in points]
        return [container.wrap(payload, self.coders[number].fingerprint, origin) for (number, payload), origin in ways]

    def blocks(self, groups: Sequence[Sequence[Point]]) -> list[bytes]:
        return [self._block([point.way for point in group]) for group in groups]

    def _block(self, ways: Sequence[Way]) -> bytes:
        numbers = [len(payload) * len(self.coders) + number for number, payload in ways]
        return varints.write(numbers) + b"".join(payload for _, payload in ways)

    def decode_streams(self, streams: Sequence[bytes], names: Sequence[str]) -> np.ndarray:
        return self.synthesise(np.stack([self._latents(s, n) for s, n in zip(streams, names, strict=True)]))

    def _latents(self, stream: bytes, name: str) -> np.ndarray:
        written = container.fingerprint(stream)
        coder = next((c for c in self.coders if c.fingerprint[: len(written)] == written), self.coder)
        return coder.dequantize(coder.decode(container.unwrap(stream, coder.fingerprint, name), name))

    def decode_block(self, block: bytes, count: int, name: str) -> np.ndarray:
        numbers, place = varints.read(block, count)
        if len(numbers) < count or place + sum(number // len(self.coders) for number in numbers) != len(block):
            raise InputError(f"{name}: damaged, its sizes do not add up; get the file again.")
        latents = []
        for size, which in (divmod(number, len(self.coders)) for number in numbers):
            coder = self.coders[which]
            latents.append(coder.dequantize(coder.decode(block[place : place + size], name)))
            place += size
        return self.synthesise(np.stack(latents))

    def _size(self, payload: bytes, archived: bool, origin: Origin) -> float:
        if not archived:
            return len(payload) + container.OVERHEAD + len(origin.place)
        number = varints.write([len(payload) * len(self.coders)])
        return len(payload) + len(number) + archive.SHARE + archive.of_origin(origin)
