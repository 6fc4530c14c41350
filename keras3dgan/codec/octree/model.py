"""A trained octree model: the networks of all levels, and grids to payloads and back with them."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from keras3dgan.codec.octree import arithmetic, features, levels, model_file
from keras3dgan.codec.octree.classes import Classes
from keras3dgan.codec.octree.codebook import Codebook
from keras3dgan.codec.octree.network import Network, cumulated
from keras3dgan.errors import InputError

_NOTHING = np.zeros(1, np.uint8)
_EVEN = 1 << (arithmetic.PRECISION - 1)
# Of eight streams one says nothing but which shape of the codebook it is.
_VERBATIM = 1 << (arithmetic.PRECISION - 3)
# A known shape is a better start than a prototype if its IoU is above this, as validation shapes told.
_NEAR = 0.85
# A voxel costs at most 16 bits; the longest stream that any model writes.
_MOST_BYTES_A_VOXEL = 3


class Start(NamedTuple):
    """What a stream says before its voxels.

    Attributes:
        number: of the codebook.
        verbatim: the shape is the one of that number as it stands there, and no voxels follow.
    """

    number: int
    verbatim: bool = False


class OctreeModel:
    """Codes grids of one resolution voxel by voxel, without loss; integers only, so the same on every machine.

    Args:
        networks: by the resolution of the level, 8, 16, ... up to that of the grids.
        codebook: prototypes of the same levels.

    Attributes:
        resolution: n of the n^3 grids.
        networks: as given.
        codebook: the prototypes.
        levels: for each level, coarse to fine, its template and its network as `levels.walk` takes them.
        fingerprint: SHA-256 over everything that a decoder needs.

    Raises:
        ValueError: a level is missing, or has another number of features.

    Example:
        >>> from keras3dgan.codec.shipped import octree_file
        >>> model = OctreeModel.load(octree_file("octree32"))
        >>> grids = np.ones((1, 32, 32, 32), np.uint8)
        >>> bool((model.decode(model.encode(grids)) == grids).all())
        True
    """

    def __init__(self, networks: Mapping[int, Network], codebook: Codebook):
        self.resolution = max(networks)
        if tuple(sorted(networks)) != features.levels(self.resolution):
            raise ValueError(f"expected networks for the levels {features.levels(self.resolution)}, got {[*networks]}")
        for level, network in networks.items():
            if {len(network.glance), len(network.first)} != {features.size(level)}:
                raise ValueError(f"the network of level {level} was trained on other features")
        if [level.shape[1] for level in codebook.grades] != [*features.levels(self.resolution)]:
            raise ValueError("the codebook has other levels than the networks")
        self.codebook = codebook
        self.networks = networks
        self.levels = [_level(n, networks[n]) for n in features.levels(self.resolution)]
        self.fingerprint = self._digest()

    @property
    def width(self) -> int:
        """Units of the larger perceptrons' first layer."""
        return len(self.networks[self.resolution].first_bias)

    @property
    def most_bytes(self) -> int:
        """No payload of one shape is longer."""
        return _MOST_BYTES_A_VOXEL * self.resolution**3

    def encode(self, grids: np.ndarray, starts: Sequence[Start] | None = None) -> bytes:
        """One payload of all grids (count, n, n, n) of zeros and ones.

        `decode` gives exactly those again, but for what starts verbatim: it becomes the shape that the start names.

        Args:
            grids: the shapes.
            starts: what to begin each with; default: `start` of each.
        """
        stream = np.zeros(self.most_bytes * len(grids), np.uint8)
        state = arithmetic.new_state()
        for grid, start in zip(grids, starts or [self.start(grid) for grid in grids], strict=True):
            for bit, chance in self._decisions(start):
                arithmetic.encode(bit, chance, stream, state)
            if not start.verbatim:
                self._walk(levels.ENCODE, grid, start, stream, state)
        return arithmetic.finish(stream, state)

    def decode(self, payload: bytes, count: int = 1) -> np.ndarray:
        """The grids uint8 (count, n, n, n) of a payload; any bytes give some, in bounded time."""
        stream = np.frombuffer(payload, np.uint8).copy()
        state = arithmetic.new_state()
        arithmetic.start_decoding(stream, state)
        return np.stack([self._decode_next(stream, state) for _ in range(count)])

    def _decode_next(self, stream: np.ndarray, state: np.ndarray) -> np.ndarray:
        number = 0
        for behind in range(self.codebook.bits):
            number = 2 * number + int(arithmetic.decode(self._chance(number, behind), stream, state))
        if number == self.codebook.prototypes + 1 and len(self.codebook.known):
            row = 0
            for _ in range(self.codebook.known_bits):
                row = 2 * row + int(arithmetic.decode(_EVEN, stream, state))
            number += row if row < len(self.codebook.known) else 0
        elif number > self.codebook.prototypes:  # no encoder writes it
            number = 0
        if arithmetic.decode(_VERBATIM, stream, state):
            return self.codebook.shape(number)
        parent = base = _NOTHING
        for (template, network), prototype in zip(self.levels, self.codebook.padded(number), strict=True):
            place = (_NOTHING, parent, base, prototype, template, network)
            parent, _ = levels.walk(levels.DECODE, *place, stream, state, *levels.NO_CHOICE)
            base = parent if base is _NOTHING else base
        return levels.inner(parent, self.resolution)

    def _decisions(self, start: Start) -> list[tuple[int, int]]:
        """What a stream says before its voxels: bits, and the chance of a 1, of 65536, for each."""
        known = start.number - self.codebook.prototypes - 1
        number = start.number if known < 0 else self.codebook.prototypes + 1
        bits = self.codebook.bits
        found = [(number >> (bits - 1 - k) & 1, self._chance(number >> (bits - k), k)) for k in range(bits)]
        if known >= 0:
            found += [(known >> k & 1, _EVEN) for k in reversed(range(self.codebook.known_bits))]
        return [*found, (int(start.verbatim), _VERBATIM)]

    def _chance(self, prefix: int, place: int) -> int:
        """Chance, of 65536, that the bit behind the first `place` bits of a number, `prefix`, is a 1."""
        width = len(self.codebook.weights) >> place
        half = self.codebook.weights[prefix * width : (prefix + 1) * width].reshape(2, -1).sum(axis=1)
        most = 1 << arithmetic.PRECISION
        return min(max(int(half[1]) * most // max(int(half.sum()), 1), 1), most - 1)

    def start(self, grid: np.ndarray) -> Start:
        """What to begin with, for a grid (n, n, n) that is to come back exactly."""
        known = self.codebook.equal_known(grid)
        if known is not None:
            return Start(known, verbatim=True)
        for number, iou in self.codebook.nearest_known(grid):
            if iou > _NEAR:
                return Start(number)
        return Start(int(self.codebook.nearest(grid[None])[0, 0]))

    def cost(self, grid: np.ndarray, start: Start | None = None, coarsest: int | None = None) -> float:
        """What a grid takes, in bytes, fractions included.

        Args:
            grid: (n, n, n) of zeros and ones.
            start: what to begin with; default: `start`.
            coarsest: count only so many of the levels; default: all.
        """
        start = self.start(grid) if start is None else start
        if start.verbatim:
            return self._bytes(0, start)
        nowhere = (np.zeros(1, np.uint8), arithmetic.new_state())
        return self._bytes(self._walk(levels.COST, grid, start, *nowhere, coarsest), start)

    def _bytes(self, cost: int, start: Start) -> float:
        """Bytes of voxels that take `cost` / 65536 bits, and of what stands before them."""
        for bit, chance in self._decisions(start):
            cost += int(arithmetic.COSTS[chance if bit else 65536 - chance])
        return cost / 65536 / 8

    def simplify(
        self, grid: np.ndarray, start: Start, price: float, below: Sequence[float]
    ) -> tuple[np.ndarray, float]:
        """A grid much like this one, that takes fewer bytes: voxels are given up where they cost more than they are worth.

        Args:
            grid: (n, n, n) of zeros and ones.
            start: what to begin with, not verbatim.
            price: bits that a voxel is worth.
            below: for each level but the finest, about how many bits finer levels take to describe a cell.

        Returns:
            The grid, and what it takes, in bytes, fractions included.
        """
        grids = [features.padded(level)[0] for level in features.pyramid(grid[None])]
        masses, counts = [levels.NO_MASS], grid.astype(np.int32)
        for _ in below:
            half = len(counts) // 2
            counts = counts.reshape(half, 2, half, 2, half, 2).sum(axis=(1, 3, 5), dtype=np.int32)
            masses.insert(0, features.padded(counts[None])[0])
        nothing, state = np.zeros(1, np.uint8), arithmetic.new_state()
        total, parent = 0, _NOTHING
        base = _NOTHING
        rows = zip(grids, masses, (*below, 0.0), self.codebook.padded(start.number), self.levels, strict=True)
        for wanted, mass, bits, prototype, (template, network) in rows:
            place = (wanted, parent, base, prototype, template, network)
            parent, cost = levels.walk(
                levels.SIMPLIFY, *place, nothing, state, mass, int(price * 65536), int(bits * 65536)
            )
            base = parent if base is _NOTHING else base
            total += cost
        return levels.inner(parent, self.resolution).copy(), self._bytes(total, start)

    def _walk(
        self,
        mode: int,
        grid: np.ndarray,
        start: Start,
        stream: np.ndarray,
        state: np.ndarray,
        coarsest: int | None = None,
    ) -> int:
        grids = [features.padded(level)[0] for level in features.pyramid(grid[None])]
        total, parent = 0, _NOTHING
        rows = zip(grids, self.codebook.padded(start.number), self.levels, strict=True)
        for wanted, prototype, level in itertools.islice(rows, coarsest):
            place = (wanted, parent, grids[0], prototype, *level)
            _, cost = levels.walk(mode, *place, stream, state, *levels.NO_CHOICE)
            total, parent = total + cost, wanted
        return total

    def _digest(self) -> bytes:
        digest = hashlib.sha256()
        for array in self._arrays().values():
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()

    def _arrays(self) -> dict[str, np.ndarray]:
        arrays = {f"codebook_{level.shape[1]}": level for level in self.codebook.grades}
        arrays["members"] = self.codebook.members
        arrays["known"] = self.codebook.known
        for level, network in sorted(self.networks.items()):
            arrays |= {f"{level}_{name}": array for name, array in network._asdict().items()}
        return arrays

    def to_bytes(self) -> bytes:
        """Everything that a reader needs, as the bytes of an `.npz` file; undone by `from_bytes`."""
        file = io.BytesIO()
        classes = self.codebook.classes.arrays() if self.codebook.classes else {}
        np.savez_compressed(file, allow_pickle=False, **self._arrays(), **classes)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "model") -> OctreeModel:
        """Undoes `to_bytes`.

        Raises:
            InputError: not what `to_bytes` wrote; the message calls it `name`.
        """
        arrays = model_file.read(io.BytesIO(content), name)
        found = [n for n in features.levels(model_file.FINEST) if f"codebook_{n}" in arrays]
        networks = {n: Network(*(arrays[f"{n}_{field}"] for field in Network._fields)) for n in found}
        grades = [arrays[f"codebook_{n}"] for n in found]
        classes = Classes.from_arrays(arrays, name)
        return cls(networks, Codebook(grades, arrays["known"], arrays["members"], classes))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> OctreeModel:
        """Reads the file that holds what `to_bytes` gave, and a table of classes beside it; errors as `from_bytes`."""
        try:
            with open(path, "rb") as file:
                content = file.read(model_file.MOST_FILE_BYTES + 1)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
        if len(content) > model_file.MOST_FILE_BYTES:
            raise InputError(f"{path}: not a trained octree model, it is larger than any; get the file again.")
        model = cls.from_bytes(content, str(path))
        table = pathlib.Path(path).with_suffix(".classes.json")
        if model.codebook.classes is None and table.is_file():
            model.codebook.classes = Classes.read(table, model.fingerprint, model.codebook.prototypes)
        return model


def _level(resolution: int, network: Network) -> tuple[features.Template, Network]:
    """Features of a level, and the network as the walk needs it."""
    template = features.template(resolution)
    return template, cumulated(network, int(template.begins[9]), features.GRADES - 1)
