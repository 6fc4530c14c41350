"""Prototypes by k-means on the log-likelihood of voxels: each stands for several shapes, and is none of them."""

from __future__ import annotations

import numpy as np
import tqdm

from keras3dgan.codec.octree import features
from keras3dgan.codec.octree.codebook import Codebook
from keras3dgan.voxels.grid import pack

_ROUNDS = 7
# Shapes are compared at this resolution.
_CLUSTERED = 32
# The last rounds drop prototypes of fewer shapes than this.
_FEWEST = 3
_LAST = 3
# Occupied in more than this share of the shapes: grades 1, 2 and 3.
_SHARES = (0.1, 0.5, 0.9)


def fit_codebook(grids: np.ndarray, count: int, seed: int, known: np.ndarray | None = None) -> Codebook:
    """Prototypes of grids (m, n, n, n); fewer than `count` are left, and none where there are too few shapes.

    Args:
        grids: uint8, zeros and ones.
        count: how many to start with.
        seed: of the shapes to start from.
        known: grids of known shapes, each once.
    """
    flat = features.at_most(grids, _CLUSTERED).reshape(len(grids), -1).astype(np.float32)
    mean = flat.mean(axis=0)
    count = min(count, len(grids) // _FEWEST)
    chosen = np.random.default_rng(seed).choice(len(grids), count, replace=False)
    centres = 0.9 * flat[chosen] + 0.05 * mean
    members = np.zeros(len(grids), np.int64)
    for turn in tqdm.trange(_ROUNDS, desc="prototypes", disable=None, leave=False):
        if not len(centres):
            break
        members = _assign(flat, centres)
        sizes = np.bincount(members, minlength=len(centres))
        if turn >= _ROUNDS - _LAST and (sizes < _FEWEST).any():
            centres = centres[sizes >= _FEWEST]
            members = _assign(flat, centres) if len(centres) else members
            sizes = np.bincount(members, minlength=len(centres))
        centres = (_sums(flat, members, len(centres)) + 0.5 * mean) / (sizes[:, None] + 0.5)
    sizes = np.bincount(members, minlength=len(centres))[: len(centres)]
    kept = np.flatnonzero(sizes >= _FEWEST)
    shapes = None if known is None else np.unique(pack(known), axis=0)
    return Codebook([_grades(level, members, kept) for level in features.pyramid(grids)], shapes, sizes[kept])


def _assign(flat: np.ndarray, centres: np.ndarray) -> np.ndarray:
    chances = np.clip(centres, 0.02, 0.98)
    return (flat @ np.log(chances / (1 - chances)).T + np.log(1 - chances).sum(axis=1)).argmax(axis=1)


def _sums(flat: np.ndarray, members: np.ndarray, count: int) -> np.ndarray:
    sums = np.zeros((count, flat.shape[1]), np.float32)
    np.add.at(sums, members, flat)
    return sums


def _grades(level: np.ndarray, members: np.ndarray, kept: np.ndarray) -> np.ndarray:
    grades = np.zeros((len(kept), *level.shape[1:]), np.uint8)
    for row, number in enumerate(kept):
        share = level[members == number].mean(axis=0)
        grades[row] = sum((share > limit).astype(np.uint8) for limit in _SHARES)
    return grades
