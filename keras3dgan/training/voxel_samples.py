"""Voxels to train the octree model on: drawn from turned and shifted shapes, uncertain ones more often."""

from __future__ import annotations

import zlib

import numpy as np

from keras3dgan.codec.octree import features, levels
from keras3dgan.metrics.distances import iou_distances
from keras3dgan.training.prototypes import fit_codebook
from keras3dgan.voxels.grid import iou

# The voxels of one epoch are drawn from so many shapes of 32^3, fewer larger ones.
_SHAPES = 4000
# A mirrored copy is as likely a shape as the original where both are alike.
_ALIKE = 0.6
# Share of draws that would go to voxels that are certain, if all were.
_FLOOR = 0.02
# Shares of shapes that get no prototype, and that get the known shape most like them in its place.
_WITHOUT, _KNOWN = 0.05, 0.35
# Shapes are compared at this resolution, a gigabyte of floats for 8,000.
_COMPARED = 32
_CHUNK = 500
Batch = tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]


def halves(grids: np.ndarray) -> np.ndarray:
    """Which half of the shapes each grid is of, (count,) of 0 and 1; equal grids keep together.

    A shape's prototype must not have been made from it, so there are two codebooks, each of the other half.
    """
    return np.array([zlib.crc32(grid.tobytes()) & 1 for grid in grids])


class VoxelSamples:
    """Batches of voxels with weights that undo how often each kind is drawn; a pure function of seed, epoch and step.

    Args:
        grids: uint8 (count, n, n, n), the shapes.
        batch_size: voxels of the finest level in a batch; half as many of each coarser one.
        seed: of all draws.
        prototypes: how many prototypes to start with.
        stretch: share of the shapes drawn that are a slice shorter or longer along an axis.
    """

    def __init__(self, grids: np.ndarray, batch_size: int, seed: int, prototypes: int, stretch: float = 0.0):
        self._grids = grids
        self._stretch = stretch
        self._half = halves(grids)
        self._codebooks = [fit_codebook(grids[self._half != half], prototypes // 2, seed) for half in (0, 1)]
        self._batch_size = batch_size
        self._seed = seed
        self._nearest = _nearest_others(grids)
        compared = features.at_most(grids, _COMPARED)
        self._mirrors = [iou(compared, np.flip(compared, axis)) > _ALIKE for axis in (1, 2)]

    def epoch(self, index: int) -> _Epoch:
        """The voxels of an epoch."""
        random = np.random.default_rng((self._seed, index))
        shapes = min(_SHAPES * 32**3 // self._grids[0].size, len(self._grids))
        rows = np.sort(random.choice(len(self._grids), shapes, replace=False))
        pairs = (self._grids[[row, self._nearest[row]]] for row in rows)
        grids, known = np.stack(
            [self._turned(pair, row, random) for pair, row in zip(pairs, rows, strict=True)], axis=1
        )
        numbers = np.zeros((2, len(rows)), np.int64)
        for half in (0, 1):
            mine = self._half[rows] == half
            if mine.any():
                numbers[half, mine] = self._codebooks[half].nearest(grids[mine])[:, 0]
        draws = random.random(len(rows))
        numbers[:, draws < _WITHOUT] = 0
        first = (self._half[rows] == 0)[:, None]
        both = [book.padded_rows(mine) for book, mine in zip(self._codebooks, numbers, strict=True)]
        prototypes = [np.where(first, one, two) for one, two in zip(*both, strict=True)]
        from_known = draws > 1 - _KNOWN
        for level, shapes in zip(prototypes, features.pyramid(known[from_known]), strict=True):
            level[from_known] = features.padded((features.GRADES - 1) * shapes)
        return _Epoch(grids, prototypes, self._batch_size, (self._seed, index))

    def _turned(self, pair: np.ndarray, row: int, random: np.random.Generator) -> np.ndarray:
        """A shape and its nearest (2, n, n, n), both turned and stretched alike."""
        if random.random() < self._stretch:
            pair = stretched(pair, random)
        for axis, mirrors in enumerate(self._mirrors, 1):
            if mirrors[row] and random.random() < 0.5:
                pair = np.flip(pair, axis)
        if random.random() < 0.1:
            pair = pair.transpose(0, 2, 1, 3)
        # Only along z: the middle of x and y is where the mirrors stand.
        shift = (0, 0, -1, 1)[random.integers(4)]
        if shift and not pair[0, :, :, 0 if shift < 0 else -1].any():
            pair = np.roll(pair, shift, axis=3)
            pair[1, :, :, -1 if shift < 0 else 0] = 0
        return pair


class _Epoch:
    def __init__(self, grids: np.ndarray, prototypes: list[np.ndarray], batch_size: int, seed: tuple[int, int]):
        self._batch_size = batch_size
        self._seed = seed
        pyramid = features.pyramid(grids)
        padded = [features.padded(level) for level in pyramid]
        empty = np.zeros((len(grids), 1), np.uint8)
        self._levels = [
            _LevelVoxels(features.template(level.shape[1]), own, parents, padded[0], grades)
            for level, own, parents, grades in zip(pyramid, padded, [empty, *padded[:-1]], prototypes, strict=True)
        ]

    def batch(self, step: int) -> Batch:
        """Features, wanted bits (both of `build_octree_predictor`'s names) and weights."""
        random = np.random.default_rng((*self._seed, step))
        x, y, weights = {}, {}, {}
        for level in self._levels:
            resolution = level.template.resolution
            count = max(self._batch_size * resolution // self._levels[-1].template.resolution, 1)
            x[str(resolution)], y[str(resolution)], weights[str(resolution)] = level.draw(count, random)
        return x, y, weights


class _LevelVoxels:
    """All coded voxels of one level of some shapes."""

    def __init__(
        self,
        template: features.Template,
        grids: np.ndarray,
        parents: np.ndarray,
        bases: np.ndarray,
        prototypes: np.ndarray,
    ):
        self.template = template
        self._grids, self._parents = grids, parents
        self._seen = (grids, parents, bases, prototypes)
        count = template.resolution**3
        places, buckets = np.zeros((count, 3), np.uint8), np.zeros((count, features.MIRRORS), np.uint8)
        found = []
        for row in range(len(grids)):
            n = levels.trace(grids[row], parents[row], template, places, buckets)
            found.append((np.full(n, row, np.int32), places[:n].copy(), buckets[:n].copy()))
        self._shapes, self._places, self._buckets = (np.concatenate(parts) for parts in zip(*found, strict=True))
        x, y, z = self._places.astype(np.int64).T
        own = features.position(x, y, z, template.stride)
        self._bits = grids[self._shapes, own]
        uncertain = self._uncertainty(own, x, y, z)
        self._weights = (uncertain.mean() / uncertain).astype(np.float32)
        self._until = np.cumsum(uncertain)

    def _uncertainty(self, own: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """How much there is to learn of each voxel, told by how voxels with the same few neighbours come out."""
        key = (x & 1) * 4 + (y & 1) * 2 + (z & 1)
        for offset in self.template.causal[:11]:
            key = key * 2 + self._grids[self._shapes, own + offset]
        if self.template.resolution > features.BASE:
            cell = features.position(x // 2, y // 2, z // 2, self.template.parent_stride)
            for offset in self.template.parent[1:7]:
                key = key * 2 + self._parents[self._shapes, cell + offset]
        ones = np.bincount(key, weights=self._bits)[key]
        chance = (ones + 0.1) / (np.bincount(key)[key] + 0.2)
        return _FLOOR + np.sqrt(chance * (1 - chance))

    def draw(self, count: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # Sorted, voxels of one shape come together, and what they share is found once.
        rows = np.sort(np.searchsorted(self._until, random.random(count) * self._until[-1]))
        bits = np.zeros((count, self.template.begins[-1]), np.uint8)
        drawn = (self._shapes[rows], self._places[rows], self._buckets[rows])
        levels.dense_features(*self._seen, *drawn, self.template, bits)
        wanted = np.repeat(self._bits[rows, None], 2, axis=1).astype(np.float32)
        return bits, wanted, self._weights[rows]


def stretched(pair: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Grids (2, n, n, n) with a slice left out or doubled, the same of both, drawn for the first.

    Along x and y, whose middle is where the mirrors stand, a slice of either side. A shape's longest extent stays: it is what
    the shape was scaled by. What cannot be stretched comes back as it is.
    """
    n = pair.shape[1]
    extents = [np.flatnonzero(pair[0].any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    lengths = [int(np.ptp(places)) for places in extents if len(places)]
    axes = np.flatnonzero(np.array(lengths) < max(lengths, default=0))
    if not len(axes):
        return pair
    axis, longer = int(random.choice(axes)), bool(random.integers(2))
    low, high = int(extents[axis][0]), int(extents[axis][-1])
    if axis == 2:
        order = _slices(n, int(random.integers(low, high + 1)), longer)
    else:  # from the middle outwards
        outwards = _slices(n // 2, int(random.integers(max(high - n // 2, n // 2 - 1 - low) + 1)), longer)
        order = np.concatenate([(n // 2 - 1 - outwards)[::-1], n // 2 + outwards])
    if longer and (high == n - 1 or (axis != 2 and low == 0)):
        return pair
    widths = [
        (0, int(place == axis + 1)) for place in range(4)
    ]  # an empty slice, the last and so also that of index -1
    result = np.take(np.pad(pair, widths), order, axis + 1)
    return result if result[0].any() else pair


def _slices(count: int, at: int, longer: bool) -> np.ndarray:
    """The order of slices in which one is doubled, and the last is lost, or left out, and `count` follows, an empty one."""
    rows = np.arange(count)
    return np.insert(rows, at, at)[:count] if longer else np.append(np.delete(rows, at), count)


def _nearest_others(grids: np.ndarray) -> np.ndarray:
    """For each shape the row of the one most like it that is not equal to it."""
    grids = features.at_most(grids, _COMPARED)
    nearest = []
    for start in range(0, len(grids), _CHUNK):
        distances = iou_distances(grids[start : start + _CHUNK], grids)
        nearest.append(np.where(distances > 0, distances, 2.0).argmin(axis=1))
    return np.concatenate(nearest)
