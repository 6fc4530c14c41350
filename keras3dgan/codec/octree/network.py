"""The network that predicts a voxel, in integers, so that it gives the same probability on every machine.

Most voxels are all but certain. A glance, a perceptron of one small hidden layer, tells which; only for the others the larger
perceptron of three hidden layers is asked. The glance is a fifth of its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras3dgan.codec.octree.arithmetic import PRECISION
from keras3dgan.codec.octree.layout import Layout, Length
from keras3dgan.compiled import compiled

# Bits behind the point of: weights and sums of the first layer; weights of the others; activations; sums of the others. The
# first layer is most of the work: in 16 bits its sums reach 128, and twice as many are added at once.
_FIRST, _LATER, _ACTIVATION = 8, 8, 6
_SUM = _LATER + _ACTIVATION
_MOST_ACTIVE = 1 << 11  # activations reach 32, and 256 of them times weights of 8 stay below 2^31
_MOST_WEIGHT = 1 << 11
_MOST_BIAS = 1 << 29
MOST_UNITS = 256
# Logits from -12 to 12 in steps of 1/64.
_LOGIT_BITS, _LOGIT_END = 6, 12
_LOGITS = 2 * (_LOGIT_END << _LOGIT_BITS) + 1
_LAYERS = ("glance", "first", "second", "third")
# The glance decides where its logit is beyond this, a chance of 1 in 400.
_SURE = 6 << _LOGIT_BITS


class Network(NamedTuple):
    """The perceptrons of one level (a tuple, for numba).

    Attributes:
        glance, first: int16 (features, units), the weights of the zeros and ones.
        glance_bias, first_bias: int16 (units,).
        glance_last, glance_last_bias, second, ..., last_bias: int32, of the layers behind them.
        probabilities: int32, of 65536, by the logit; stored, not computed.
    """

    glance: np.ndarray
    glance_bias: np.ndarray
    glance_last: np.ndarray
    glance_last_bias: np.ndarray
    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray
    third: np.ndarray
    third_bias: np.ndarray
    last: np.ndarray
    last_bias: np.ndarray
    probabilities: np.ndarray


Layers = Sequence[tuple[np.ndarray, np.ndarray]]


def layout(level: int, count: int) -> dict[str, Layout]:
    """What the arrays of a network are like: with these, all indices lie within, and no sum leaves its bits.

    Args:
        level: of which the units are, for messages.
        count: of its features.
    """
    glance, one, two, three = (Length(f"units of level {level}, {name}", 1, MOST_UNITS) for name in _LAYERS)
    first = {"glance": glance, "first": one}
    later: dict[str, tuple[Length, Length | int]] = {
        "glance_last": (glance, 1),
        "second": (one, two),
        "third": (two, three),
        "last": (three, 1),
    }
    found = {}
    for name, units in first.items():
        found[name] = Layout("int16", (count, units), -(1 << 15), (1 << 15) - 1)
        found[f"{name}_bias"] = found[name]._replace(shape=(units,))
    for name, shape in later.items():
        found[name] = Layout("int32", shape, 1 - _MOST_WEIGHT, _MOST_WEIGHT - 1)
        found[f"{name}_bias"] = Layout("int32", shape[1:], 1 - _MOST_BIAS, _MOST_BIAS - 1)
    return found | {"probabilities": Layout("int32", (_LOGITS,), 1, (1 << PRECISION) - 1)}


def from_floats(glance: Layers, look: Layers) -> Network:
    """Rounds the weights (in, out) and biases of both perceptrons to integers.

    Args:
        glance: its two layers.
        look: the four layers of the larger one.

    Raises:
        ValueError: another number of layers, or one too wide for 32-bit sums.
    """
    if len(glance) != 2 or len(look) != 4 or max(k.shape[1] for k, _ in (*glance, *look)) > MOST_UNITS:
        raise ValueError(f"expected two layers and four, of at most {MOST_UNITS} units")

    def rounded(values: np.ndarray, bits: int, most: int) -> np.ndarray:
        return np.clip(np.rint(np.asarray(values, np.float64) * 2**bits), 1 - most, most - 1).astype(np.int32)

    parts: list[np.ndarray] = []
    for first, *rest in (glance, look):
        parts += [rounded(values, _FIRST, 1 << 15).astype(np.int16) for values in first]
        for kernel, bias in rest:
            parts += [rounded(kernel, _LATER, _MOST_WEIGHT), rounded(bias, _SUM, _MOST_BIAS)]
    logits = (np.arange(_LOGITS) - _LOGITS // 2) / 2**_LOGIT_BITS
    chances = np.rint(65536 / (1 + np.exp(-logits)))
    parts.append(np.clip(chances, 1, (1 << PRECISION) - 1).astype(np.int32))
    return Network(*parts)


def to_floats(network: Network) -> tuple[Layers, Layers]:
    """Undoes `from_floats`: weights and biases of the glance and the look."""
    arrays = network[:-1]  # without the probabilities
    pairs = [*zip(arrays[::2], arrays[1::2], strict=True)]
    floats = [
        (kernel / 2.0 ** (_LATER if later else _FIRST), bias / 2.0 ** (_SUM if later else _FIRST))
        for later, (kernel, bias) in zip((0, 1, 0, 1, 1, 1), pairs, strict=True)
    ]
    return floats[:2], floats[2:]


# Inlined: at a call numba counts the references to each array, which for small layers takes as long as the sums.
@compiled(inline="always")
def add_features(weights: np.ndarray, active: np.ndarray, count: int, sums: np.ndarray) -> None:
    """Adds a first layer's weights of the active features to its sums; four at a time, since each waits for the one before."""
    whole = count - count % 4
    for k in range(0, whole, 4):
        # Unsigned: no wrapping to be checked.
        one, two, three, four = (
            np.uint32(active[k]),
            np.uint32(active[k + 1]),
            np.uint32(active[k + 2]),
            np.uint32(active[k + 3]),
        )
        for unit in range(len(sums)):
            first = np.int16(weights[one, unit] + weights[two, unit])
            second = np.int16(weights[three, unit] + weights[four, unit])
            sums[unit] = np.int16(sums[unit] + np.int16(first + second))
    for k in range(whole, count):
        row = np.uint32(active[k])
        for unit in range(len(sums)):
            sums[unit] = np.int16(sums[unit] + weights[row, unit])


@compiled(inline="always")
def _layer(values: np.ndarray, weights: np.ndarray, bias: np.ndarray, sums: np.ndarray) -> None:
    for unit in range(len(sums)):
        sums[unit] = bias[unit]
    for k in range(len(values)):
        value = values[k]
        if value:
            for unit in range(len(sums)):
                sums[unit] = np.int32(sums[unit] + np.int32(value * weights[k, unit]))


@compiled(inline="always")
def _rectify(sums: np.ndarray, shift: int) -> None:
    for unit in range(len(sums)):
        sums[unit] = min(max(sums[unit] >> shift, 0), _MOST_ACTIVE - 1)


def cumulated(network: Network, first: int, steps: int) -> Network:
    """The network for features of which only the highest of some steps is given; it gives the same sums.

    Args:
        network: as trained, for features all of which are given.
        first: where, up to the last feature, all are in groups of steps.
        steps: features in a group; where one is 1, so are those before it.
    """

    def summed(weights: np.ndarray) -> np.ndarray:
        # 16 bits, which wrap, as the sums do.
        groups = weights[first:].reshape(-1, steps, weights.shape[1]).cumsum(axis=1, dtype=np.int16)
        return np.concatenate([weights[:first], groups.reshape(-1, weights.shape[1])])

    return network._replace(glance=summed(network.glance), first=summed(network.first))


class FirstSums(NamedTuple):
    """Sums of a first layer, int16: what all voxels of a level share is added once, what those of a cell share once a cell.

    Attributes:
        level: (units,), the bias and what all voxels share.
        cells: (cells, units), that and what the voxels of each cell share, where `known`.
        known: (cells,).
        voxel: (units,), the sums of the voxel at hand.
    """

    level: np.ndarray
    cells: np.ndarray
    known: np.ndarray
    voxel: np.ndarray


class Room(NamedTuple):
    """Room for the sums of all layers, and for the features that the voxels of the cells in a row along z share.

    Attributes:
        glance, first: sums of the first layers.
        second, third, last: sums of the others.
        active: (cells, features), the indices of the features that are one in each cell.
        counts: (cells,), how many; -1 where nobody has looked yet.
    """

    glance: FirstSums
    first: FirstSums
    second: np.ndarray
    third: np.ndarray
    last: np.ndarray
    active: np.ndarray
    counts: np.ndarray


@compiled
def _first_sums(weights: np.ndarray, bias: np.ndarray, active: np.ndarray, count: int, cells: int) -> FirstSums:
    level = bias.copy()
    add_features(weights, active, count, level)
    return FirstSums(level, np.empty((cells, len(bias)), np.int16), np.zeros(cells, np.bool_), np.empty_like(level))


@compiled
def make_room(network: Network, active: np.ndarray, count: int, cells: int) -> Room:
    """Room for the sums of a level with so many cells along z, given the features that all voxels share."""
    return Room(
        _first_sums(network.glance, network.glance_bias, active, count, cells),
        _first_sums(network.first, network.first_bias, active, count, cells),
        np.empty_like(network.second_bias),
        np.empty_like(network.third_bias),
        np.empty_like(network.last_bias),
        np.empty((cells, len(active)), np.int32),
        np.full(cells, -1, np.int64),
    )


@compiled
def forget_cells(room: Room) -> None:
    """For the next row of cells."""
    room.counts[:] = -1
    room.glance.known[:] = False
    room.first.known[:] = False


@compiled(inline="always")
def _sum_first(weights: np.ndarray, active: np.ndarray, count: int, cell: int, room: Room, sums: FirstSums) -> None:
    """The rectified sums of a first layer: of the level, of the cell, and of the voxel's own features."""
    if not sums.known[cell]:
        for unit in range(len(sums.level)):
            sums.cells[cell, unit] = sums.level[unit]
        add_features(weights, room.active[cell], room.counts[cell], sums.cells[cell])
        sums.known[cell] = True
    for unit in range(len(sums.voxel)):
        sums.voxel[unit] = sums.cells[cell, unit]
    add_features(weights, active, count, sums.voxel)
    _rectify(sums.voxel, _FIRST - _ACTIVATION)


@compiled
def probability(network: Network, active: np.ndarray, count: int, cell: int, room: Room) -> int:
    """Chance of an occupied voxel, 1 to 65535 of 65536.

    Args:
        network: of the level, `cumulated`.
        active: indices of the voxel's own features that are one.
        count: how many.
        cell: that the voxel lies in, along z; its features are in the room.
        room: from `make_room`.
    """
    _sum_first(network.glance, active, count, cell, room, room.glance)
    _layer(room.glance.voxel, network.glance_last, network.glance_last_bias, room.last)
    logit = room.last[0] >> (_SUM - _LOGIT_BITS)
    if -_SURE <= logit <= _SURE:
        _sum_first(network.first, active, count, cell, room, room.first)
        _layer(room.first.voxel, network.second, network.second_bias, room.second)
        _rectify(room.second, _SUM - _ACTIVATION)
        _layer(room.second, network.third, network.third_bias, room.third)
        _rectify(room.third, _SUM - _ACTIVATION)
        _layer(room.third, network.last, network.last_bias, room.last)
        logit = room.last[0] >> (_SUM - _LOGIT_BITS)
    end = _LOGIT_END << _LOGIT_BITS
    return network.probabilities[min(max(logit, -end), end) + end]
