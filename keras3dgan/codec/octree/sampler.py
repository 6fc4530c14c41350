"""Shapes drawn from an octree model: new ones, finer versions of coarse ones, and completions of partial ones.

The model gives every voxel a chance, given all that comes before it in the order of coding: a number of the codebook, then the
levels from coarse to fine, each in raster order. To draw one voxel after the other therefore draws shapes from the model exactly.
It is what decoding random bytes would give, with two differences. Only prototypes are started from, never a known shape, which
would come out as it is; and chances may be tempered.

The networks know no classes. Shapes of a class start from prototypes as often as those of the training set do. They are drawn
anew unless they look like one: taken as likely as the training shapes behind the prototype nearest to them are of the class.

What is given before all that is drawn is exact: coarser levels (`refine`). But the number is drawn by its likelihood among the
prototypes most like the shape, not among all; and where seven children of an occupied cell were drawn empty, the last one is not
drawn, but occupied. Voxels known at the finest level (`complete`) come after coarser levels, which are
drawn knowing only of cells whether they must be occupied or empty. So of several shapes one is chosen, by how likely the known
voxels are in it. With many candidates this importance resampling comes near the model given the known voxels; with few it is an
approximation. Known voxels stay in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras3dgan.codec.octree import draws, features, levels
from keras3dgan.codec.octree.draws import key
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.octree.temperature import likelihoods, tempered
from keras3dgan.errors import InputError

# Prototypes that a given shape may start from.
_NEAREST = 32
_NOTHING = np.zeros(1, np.uint8)
# What a key of random numbers is for, beside the resolution of a level.
_NUMBER, _CANDIDATE, _TRY, _ACCEPT = 1, 2, 3, 4
# A shape of wanted classes is drawn anew so often at most.
_MOST_TRIES = 16


class _Drawn(NamedTuple):
    """A drawn shape.

    Attributes:
        grid: uint8 (n, n, n).
        cost: of the voxels that were given, in 1/65536 bit.
    """

    grid: np.ndarray
    cost: int


class Sampler:
    """Draws shapes from an octree model; integers only, so the same shapes from the same seed on every machine.

    Args:
        model: trained.
        temperature: of each voxel's chance; 1 draws from the model, less draws what it thinks likelier: cleaner, less varied.

    Raises:
        InputError: a temperature not from 0.1 to 10.
    """

    def __init__(self, model: OctreeModel, temperature: float = 0.8):
        self.model = model
        self._levels = [
            (template, network._replace(probabilities=tempered(network.probabilities, temperature)))
            for template, network in model.levels
        ]

    def sample(self, seed: int, index: int = 0, classes: Sequence[str] = ()) -> np.ndarray:
        """A new shape.

        Args:
            seed: not negative.
            index: of the shape among those of this seed; each is the same, however many are drawn.
            classes: only shapes of these; default: all.

        Returns:
            uint8 (n, n, n); empty, or unlike its class, once in a while.

        Raises:
            InputError: a class that the model does not know.
        """
        grids = [np.full((n,) * 3, levels.UNKNOWN, np.uint8) for n in features.levels(self.model.resolution)]
        if not classes:
            return self._draw(
                self._start(self.model.codebook.members.tolist(), key(seed, index)), grids, key(seed, index)
            ).grid
        if self.model.codebook.classes is None:
            raise InputError(
                "classes: this model does not know what its prototypes are; leave them out, or train it anew."
            )
        weights = self.model.codebook.classes.weights(classes)
        for turn in range(_MOST_TRIES):
            key_ = key(seed, index, _TRY, turn)
            grid = self._draw(self._start(weights, key_), grids, key_).grid
            if self._is_of_class(grid, weights, key(key_, _ACCEPT)):
                break
        return grid

    def _start(self, weights: Sequence[int], key_: int) -> int:
        """A prototype drawn by weights; nothing, where the model has none."""
        return 1 + draws.choose(weights, key(key_, _NUMBER)) if self.model.codebook.prototypes else 0

    def _is_of_class(self, grid: np.ndarray, weights: Sequence[int], key_: int) -> bool:
        """Whether to take a shape, as likely as those that start from the prototype nearest to it are of the classes."""
        nearest = int(self.model.codebook.nearest(grid[None])[0, 0]) - 1
        assert self.model.codebook.classes is not None
        total = int(self.model.codebook.classes.counts[nearest].sum(dtype=np.int64))
        return total > 0 and draws.choose([weights[nearest], total - weights[nearest]], key_) == 0

    def refine(
        self, grid: np.ndarray, resolution: int, seed: int = 1, index: int = 0, likely: bool = False
    ) -> np.ndarray:
        """A finer version of a shape: pooled to the resolution of `grid` it is `grid` again.

        Args:
            grid: (m, m, m) of zeros and ones, m of one of the model's levels.
            resolution: of a level of the model that is not coarser.
            seed: not negative.
            index: of the version; others differ.
            likely: every voxel becomes what it is more likely to be, and nothing is drawn.

        Returns:
            uint8 (resolution, resolution, resolution).

        Raises:
            InputError: the model has no such level.
        """
        known = features.levels(self.model.resolution)
        if len(grid) not in known or resolution not in known or resolution < len(grid):
            words = ", ".join(map(str, known))
            raise InputError(
                f"resolution: this model refines {words}, each to those behind it, not {len(grid)} to {resolution}."
            )
        coarse = features.pyramid((grid > 0).astype(np.uint8)[None])
        given = [level[0] for level in coarse]
        number = self._number(given, key(seed, index, _NUMBER), likely)
        given += [np.full((n,) * 3, levels.UNKNOWN, np.uint8) for n in known if len(grid) < n <= resolution]
        return self._draw(number, given, key(seed, index), likely, filled=True).grid

    def _number(self, given: Sequence[np.ndarray], key_: int, likely: bool) -> int:
        """A prototype that coarse levels start from: drawn by its likelihood, or the likeliest."""
        numbers = self.model.codebook.nearest_coarse(given[-1], _NEAREST)
        costs = [self._draw(number, given, 0).cost for number in numbers]
        weights = likelihoods(costs, [self._members(number) for number in numbers])
        return numbers[weights.index(max(weights)) if likely else draws.choose(weights, key_)]

    def complete(
        self, grid: np.ndarray, known: np.ndarray, seed: int = 1, index: int = 0, candidates: int = 16
    ) -> np.ndarray:
        """A whole shape of which some voxels are known; these stay as they are.

        Args:
            grid: (n, n, n) of zeros and ones, n as the model's.
            known: boolean (n, n, n), which voxels of `grid` are to be kept.
            seed: not negative.
            index: of the completion; others differ.
            candidates: shapes drawn, of which one is chosen by how well it explains the known voxels.

        Returns:
            uint8 (n, n, n).

        Raises:
            ValueError: grids of another shape, or no candidates.
        """
        size = (self.model.resolution,) * 3
        if grid.shape != size or known.shape != size or candidates < 1:
            raise ValueError(f"expected grids {size} and a candidate, got {grid.shape}, {known.shape} and {candidates}")
        given = _partial(np.where(known, grid > 0, levels.UNKNOWN).astype(np.uint8))
        numbers = self.model.codebook.nearest_partial(grid, known, candidates)
        found, weights = [], []
        for turn in range(candidates):
            number = numbers[turn % len(numbers)]
            found.append(self._draw(number, given, key(seed, index, _CANDIDATE, turn)))
            weights.append(self._members(number))
        chosen = draws.choose(likelihoods([one.cost for one in found], weights), key(seed, index, _NUMBER))
        return found[chosen].grid

    def _members(self, number: int) -> int:
        return int(self.model.codebook.members[number - 1]) if number else 1

    def _draw(
        self, number: int, given: Sequence[np.ndarray], key_: int, likely: bool = False, filled: bool = False
    ) -> _Drawn:
        """The shape that starts from a number of the codebook.

        Args:
            number: of the codebook.
            given: of each level, coarse to fine, (m, m, m); what is not `UNKNOWN` stays.
            key_, likely, filled: as of `draws.new_state`.
        """
        parent = base = _NOTHING
        total = 0
        prototypes = self.model.codebook.padded(number)
        for wanted, prototype, (template, network) in zip(given, prototypes, self._levels, strict=False):
            state = draws.new_state(key(key_, template.resolution), likely, filled)
            place = (features.padded(wanted[None])[0], parent, base, prototype, template, network)
            parent, cost = levels.walk(levels.SAMPLE, *place, _NOTHING, state, *levels.NO_CHOICE)
            base = parent if base is _NOTHING else base
            total += cost
        return _Drawn(levels.inner(parent, len(given[-1])).copy(), total)


def _partial(grid: np.ndarray) -> list[np.ndarray]:
    """All levels of a grid (n, n, n) of 0, 1 and `UNKNOWN`, coarse to fine: what is known of cells by their children."""
    found = [grid]
    while len(found[0]) > features.BASE:
        occupied = features.pool((found[0] == 1)[None])[0]
        open_ = features.pool((found[0] == levels.UNKNOWN)[None])[0]
        found.insert(0, np.where(occupied, 1, np.where(open_, levels.UNKNOWN, 0)).astype(np.uint8))
    return found
