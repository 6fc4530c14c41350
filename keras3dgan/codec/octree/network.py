"""The network that predicts a voxel, in integers, so that it gives the same probability on every machine.

Most voxels are all but certain. A glance, a perceptron of one small hidden layer, tells which; only for the others the larger
perceptron of three hidden layers is asked. The glance is a fifth of its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np

from keras3dgan.codec.octree.arithmetic import PRECISION

# Bits behind the point of: weights and sums of the first layer; weights of the others; activations; sums of the others. The
# first layer is most of the work: in 16 bits its sums reach 128, and twice as many are added at once.
_FIRST, _LATER, _ACTIVATION = 8, 8, 6
_SUM = _LATER + _ACTIVATION
_MOST_ACTIVE = 1 << 11  # activations reach 32, and 256 of them times weights of 8 stay below 2^31
_MOST_WEIGHT = 1 << 11
MOST_UNITS = 256
# Logits from -12 to 12 in steps of 1/64.
_LOGIT_BITS, _LOGIT_END = 6, 12
_LOGITS = 2 * (_LOGIT_END << _LOGIT_BITS) + 1
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

    def rounded(values, bits, most):
        return np.clip(np.rint(np.asarray(values, np.float64) * 2**bits), 1 - most, most - 1).astype(np.int32)

    parts: list[np.ndarray] = []
    for first, *rest in (glance, look):
        parts += [rounded(values, _FIRST, 1 << 15).astype(np.int16) for values in first]
        for kernel, bias in rest:
            parts += [rounded(kernel, _LATER, _MOST_WEIGHT), rounded(bias, _SUM, 1 << 29)]
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


@numba.njit(cache=True, nogil=True)
def add_features(weights, active, count, sums):
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


@numba.njit(cache=True, nogil=True)
def _layer(values, weights, bias, sums):
    for unit in range(len(sums)):
        sums[unit] = bias[unit]
    for k in range(len(values)):
        value = values[k]
        if value:
            for unit in range(len(sums)):
                sums[unit] = np.int32(sums[unit] + np.int32(value * weights[k, unit]))


@numba.njit(cache=True, nogil=True)
def _rectify(sums, shift):
    for unit in range(len(sums)):
        sums[unit] = min(max(sums[unit] >> shift, 0), _MOST_ACTIVE - 1)


class Room(NamedTuple):
    """Sums of all layers, and those of the first layers that all voxels of a level share."""

    glance_shared: np.ndarray
    first_shared: np.ndarray
    glance: np.ndarray
    first: np.ndarray
    second: np.ndarray
    third: np.ndarray
    last: np.ndarray


@numba.njit(cache=True, nogil=True)
def make_room(network, active, count):
    """Room for the sums, given the features that all voxels share."""
    glance, first = network.glance_bias.copy(), network.first_bias.copy()
    add_features(network.glance, active, count, glance)
    add_features(network.first, active, count, first)
    return Room(
        glance,
        first,
        np.empty_like(glance),
        np.empty_like(first),
        np.empty_like(network.second_bias),
        np.empty_like(network.third_bias),
        np.empty_like(network.last_bias),
    )


@numba.njit(cache=True, nogil=True)
def probability(network, active, count, room):
    """Chance of an occupied voxel, 1 to 65535 of 65536.

    Args:
        network: of the level.
        active: indices of the voxel's own features that are one.
        count: how many.
        room: from `make_room`.
    """
    room.glance[:] = room.glance_shared
    add_features(network.glance, active, count, room.glance)
    _rectify(room.glance, _FIRST - _ACTIVATION)
    _layer(room.glance, network.glance_last, network.glance_last_bias, room.last)
    logit = room.last[0] >> (_SUM - _LOGIT_BITS)
    if -_SURE <= logit <= _SURE:
        room.first[:] = room.first_shared
        add_features(network.first, active, count, room.first)
        _rectify(room.first, _FIRST - _ACTIVATION)
        _layer(room.first, network.second, network.second_bias, room.second)
        _rectify(room.second, _SUM - _ACTIVATION)
        _layer(room.second, network.third, network.third_bias, room.third)
        _rectify(room.third, _SUM - _ACTIVATION)
        _layer(room.third, network.last, network.last_bias, room.last)
        logit = room.last[0] >> (_SUM - _LOGIT_BITS)
    end = _LOGIT_END << _LOGIT_BITS
    return network.probabilities[min(max(logit, -end), end) + end]
