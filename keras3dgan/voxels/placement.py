"""Where a grid lay in the coordinates of the mesh that it came from, in at most eight bytes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from keras3dgan.errors import InputError

MAX_BYTES = 8
_MANTISSA_BITS = 12
_MAX_WIDTH = 13
# Position counts in this share of the grid's side: a 16th of a voxel at 32^3, a quarter at 128^3.
_STEPS = 512
_HEAD_BITS = 8 + _MANTISSA_BITS + 4


@dataclasses.dataclass(frozen=True)
class Placement:
    """The cube that a grid fills, in a mesh's own units.

    Attributes:
        centre: its middle, in the axes of the grid: x, y, z with z up.
        side: its length.

    Example:
        >>> Placement(centre=(0.0, 0.0, 1.0), side=2.0).place(np.array([[0.0, 0.0, 0.5]])).tolist()
        [[0.0, 0.0, 2.0]]
    """

    centre: tuple[float, float, float] = (0.0, 0.0, 0.0)
    side: float = 1.0

    def to_bytes(self) -> bytes | None:
        """Three to eight bytes, or None where the mesh is too far from its origin, too small or too large for them.

        Big-endian bits: exponent of the side (8, biased by 128), mantissa (12), width w (4), and the centre as three signed
        numbers of w bits, in 512ths of the side; zeros up to a whole byte. What comes back is less than a seventh of a
        voxel away from what went in, at up to 128^3.
        """
        exponent = math.floor(math.log2(self.side)) if 0 < self.side < math.inf else 999
        mantissa = round((self.side / 2.0**exponent - 1) * (1 << _MANTISSA_BITS)) if abs(exponent) < 200 else 0
        if mantissa == 1 << _MANTISSA_BITS:
            exponent, mantissa = exponent + 1, 0
        if not -128 <= exponent < 128:
            return None
        side = _side(exponent, mantissa)
        steps = [round(value / side * _STEPS) if abs(value) < side * _STEPS else 1 << 20 for value in self.centre]
        width = max((step if step >= 0 else ~step).bit_length() + bool(step) for step in steps)
        if width > _MAX_WIDTH:
            return None
        bits = exponent + 128
        for value, size in [(mantissa, _MANTISSA_BITS), (width, 4)]:
            bits = bits << size | value
        for step in steps:
            bits = bits << width | step & ((1 << width) - 1)
        length = _HEAD_BITS + 3 * width
        return (bits << -length % 8).to_bytes(-(-length // 8), "big")

    @classmethod
    def from_bytes(cls, content: bytes) -> Placement:
        """Undoes `to_bytes`; bytes behind it are ignored, and `length` says where they begin.

        Raises:
            InputError: there are too few bytes.
        """
        size = cls.length(content)
        if len(content) < size:
            raise InputError("the placement of the shape is cut off; get the file again.")
        bits, left = int.from_bytes(content[:size], "big"), 8 * size

        def take(count: int) -> int:
            nonlocal left
            left -= count
            return bits >> left & ((1 << count) - 1)

        side = _side(take(8) - 128, take(_MANTISSA_BITS))
        width = take(4)
        steps = [take(width) for _ in range(3)]
        x, y, z = ((step - (1 << width) if width and step >> (width - 1) else step) * side / _STEPS for step in steps)
        return cls((x, y, z), side)

    @staticmethod
    def length(content: bytes) -> int:
        """How many bytes the placement takes that these bytes begin with."""
        head = int.from_bytes(content[:3].ljust(3, b"\0"), "big")
        width = head & 15
        return -(-(_HEAD_BITS + 3 * width) // 8)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 3) of the cube [-0.5, 0.5]^3, z up, in the mesh's own units, z up still."""
        return points * self.side + self.centre


def _side(exponent: int, mantissa: int) -> float:
    return math.ldexp(1 + mantissa / (1 << _MANTISSA_BITS), exponent)
