"""Binary arithmetic coding on 64-bit integers, called voxel by voxel from compiled loops.

Libraries code arrays of symbols at a call; here each voxel's probability depends on the one before it. The coder is the carryless
one of the PAQ family, with a state of 64 bits, so that its loss against the entropy is far below a bit a shape.
"""

import numpy as np

from keras3dgan.compiled import compiled

PRECISION = 16
# What a probability p, of 65536, costs in 1/65536 bit: for choices of the encoder only, never in the stream.
COSTS = np.concatenate([[1 << 24], np.rint(-np.log2(np.arange(1, 1 << PRECISION) / 65536) * 65536)]).astype(np.int64)
# Low and high end of the interval, the decoder's window, bytes written or read.
LOW, HIGH, WINDOW, PLACE = range(4)
_TOP = np.uint64(0xFF00000000000000)


def new_state() -> np.ndarray:
    """The state of an encoder before its first bit; `start_decoding` makes it a decoder's."""
    return np.array([0, 0xFFFFFFFFFFFFFFFF, 0, 0], np.uint64)


@compiled
def _next_byte(stream: np.ndarray, state: np.ndarray) -> np.uint64:
    place = np.int64(state[PLACE])
    state[PLACE] += np.uint64(1)
    return np.uint64(stream[place]) if place < len(stream) else np.uint64(0)


@compiled
def start_decoding(stream: np.ndarray, state: np.ndarray) -> None:
    """Fills the window with the first bytes; behind its end a stream goes on with zeros."""
    for _ in range(8):
        state[WINDOW] = (state[WINDOW] << np.uint64(8)) | _next_byte(stream, state)


@compiled
def _split(state: np.ndarray, probability: int) -> np.uint64:
    return state[LOW] + ((state[HIGH] - state[LOW]) >> np.uint64(PRECISION)) * np.uint64(probability)


@compiled
def encode(bit: int | np.uint8, probability: int, stream: np.ndarray, state: np.ndarray) -> None:
    """Codes a bit.

    Args:
        bit: 0 or 1.
        probability: that it is 1, 1 to 65535 of 65536.
        stream: gets the bytes; long enough.
        state: as `new_state` gives it.
    """
    middle = _split(state, probability)
    if bit:
        state[HIGH] = middle
    else:
        state[LOW] = middle + np.uint64(1)
    while (state[LOW] ^ state[HIGH]) & _TOP == 0:
        stream[np.int64(state[PLACE])] = np.uint8(state[HIGH] >> np.uint64(56))
        state[PLACE] += np.uint64(1)
        state[LOW] <<= np.uint64(8)
        state[HIGH] = (state[HIGH] << np.uint64(8)) | np.uint64(255)


@compiled
def decode(probability: int, stream: np.ndarray, state: np.ndarray) -> np.uint8:
    """Gives the next bit; undoes `encode`."""
    middle = _split(state, probability)
    bit = state[WINDOW] <= middle
    if bit:
        state[HIGH] = middle
    else:
        state[LOW] = middle + np.uint64(1)
    while (state[LOW] ^ state[HIGH]) & _TOP == 0:
        state[LOW] <<= np.uint64(8)
        state[HIGH] = (state[HIGH] << np.uint64(8)) | np.uint64(255)
        state[WINDOW] = (state[WINDOW] << np.uint64(8)) | _next_byte(stream, state)
    return np.uint8(bit)


def finish(stream: np.ndarray, state: np.ndarray) -> bytes:
    """The shortest bytes that decode to what was coded, given that a decoder reads zeros behind them."""
    low, high = int(state[LOW]), int(state[HIGH])
    for count in range(9):
        unit = 1 << (64 - 8 * count)
        point = -(-low // unit) * unit
        if point <= high:
            tail = (point >> (64 - 8 * count)).to_bytes(count, "big")
            return (stream[: int(state[PLACE])].tobytes() + tail).rstrip(b"\0")
    raise AssertionError("an interval holds at least one point")
