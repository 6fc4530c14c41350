"""Random numbers for sampling: integers that depend on seed and place alone, so the same on every machine, in any order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras3dgan.compiled import compiled

# What a draw is compared with: chances of 2^30.
PRECISION = 30
_STEP = 0x9E3779B97F4A7C15
_HALF = (1 << (PRECISION - 1)) - 1


@compiled
def mix(value: np.uint64) -> np.uint64:
    """The output function of SplitMix64 (Steele, Lea, Flood 2014), uint64 to uint64."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@compiled
def draw(place: int, state: np.ndarray) -> np.int64:
    """A number from 0 to 2^30 - 1: SplitMix64's at this place of its sequence, or the middle.

    Args:
        place: not negative.
        state: as `new_state` gives it.
    """
    if state[1]:
        return np.int64(_HALF)
    return np.int64(mix(state[0] + np.uint64(place + 1) * np.uint64(_STEP)) >> np.uint64(64 - PRECISION))


def key(*words: int) -> int:
    """64 bits that stand for some integers, each not negative."""
    found = 0
    for word in words:
        found = int(mix(np.uint64((found + (word + 1) * _STEP) % (1 << 64))))
    return found


def new_state(key_: int, likely: bool = False, filled: bool = False) -> np.ndarray:
    """What `draw` needs, and `levels.walk` with it.

    Args:
        key_: from `key`.
        likely: always give the middle, so that what has a chance of a half or more comes.
        filled: whether every occupied cell must get an occupied child.
    """
    return np.array([key_, likely, filled, 0], np.uint64)


def choose(weights: Sequence[int], key_: int) -> int:
    """An index, drawn by integer weights that are not negative and not all 0."""
    place = key_ * sum(weights) >> 64
    for index, weight in enumerate(weights):
        if place < weight:
            return index
        place -= weight
    raise ValueError("no weight is above 0")
