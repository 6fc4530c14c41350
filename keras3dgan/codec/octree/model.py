"""A trained octree model: the networks of all levels, and grids to payloads and back with them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

import numpy as np

from keras3dgan.codec.octree import arithmetic, features, levels
from keras3dgan.codec.octree.network import Network
from keras3dgan.errors import InputError

_NOTHING = np.zeros(1, np.uint8)
# A voxel costs at most 16 bits; the longest stream that any model writes.
_MOST_BYTES_A_VOXEL = 3


class OctreeModel:
    """Codes grids of one resolution voxel by voxel, without loss; integers only, so the same on every machine.

    Args:
        networks: by the resolution of the level, 8, 16, ... up to that of the grids.

    Attributes:
        resolution: n of the n^3 grids.
        fingerprint: SHA-256 over everything that a decoder needs.

    Raises:
        ValueError: a level is missing, or has another number of features.
    """

    def __init__(self, networks: Mapping[int, Network]):
        self.resolution = max(networks)
        if tuple(sorted(networks)) != features.levels(self.resolution):
            raise ValueError(f"expected networks for the levels {features.levels(self.resolution)}, got {[*networks]}")
        for level, network in networks.items():
            if {len(network.glance), len(network.first)} != {features.size(level)}:
                raise ValueError(f"the network of level {level} was trained on other features")
        self._networks = networks
        self._levels = [(features.template(n), networks[n]) for n in features.levels(self.resolution)]
        self.fingerprint = hashlib.sha256(b"".join(a.tobytes() for a in self._arrays().values())).digest()

    def encode(self, grid: np.ndarray) -> bytes:
        """The payload of a grid (n, n, n) of zeros and ones; `decode` gives exactly that grid again."""
        stream = np.zeros(_MOST_BYTES_A_VOXEL * self.resolution**3, np.uint8)
        state = arithmetic.new_state()
        self._walk(levels.ENCODE, grid, stream, state)
        return arithmetic.finish(stream, state)

    def decode(self, payload: bytes) -> np.ndarray:
        """The grid uint8 (n, n, n) of a payload. Any bytes give a grid, in bounded time; only `encode`'s mean something."""
        stream = np.frombuffer(payload, np.uint8).copy()
        state = arithmetic.new_state()
        arithmetic.start_decoding(stream, state)
        parent = base = _NOTHING
        for template, network in self._levels:
            parent, _ = levels.walk(levels.DECODE, _NOTHING, parent, base, template, network, stream, state)
            base = parent if base is _NOTHING else base
        return levels.inner(parent, self.resolution)

    def cost(self, grid: np.ndarray) -> float:
        """What a grid (n, n, n) takes, in bytes, fractions included."""
        return self._walk(levels.COST, grid, np.zeros(1, np.uint8), arithmetic.new_state()) / 65536 / 8

    def _walk(self, mode: int, grid: np.ndarray, stream: np.ndarray, state: np.ndarray) -> int:
        grids = [features.padded(level)[0] for level in features.pyramid(grid[None])]
        total, parent = 0, _NOTHING
        for wanted, (template, network) in zip(grids, self._levels, strict=True):
            _, cost = levels.walk(mode, wanted, parent, grids[0], template, network, stream, state)
            total, parent = total + cost, wanted
        return total

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{level}_{name}": array
            for level, network in sorted(self._networks.items())
            for name, array in network._asdict().items()
        }

    def to_bytes(self) -> bytes:
        """Everything that a reader needs, as the bytes of an `.npz` file; undone by `from_bytes`."""
        file = io.BytesIO()
        np.savez_compressed(file, **self._arrays())
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "model") -> OctreeModel:
        """Undoes `to_bytes`.

        Raises:
            InputError: not what `to_bytes` wrote; the message calls it `name`.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            found = sorted({int(key.partition("_")[0]) for key in arrays})
            return cls({n: Network(*(arrays[f"{n}_{field}"] for field in Network._fields)) for n in found})
        except Exception as error:  # numpy, zipfile and zlib each raise their own
            raise InputError(f"{name}: not a trained octree model; train it again.") from error
