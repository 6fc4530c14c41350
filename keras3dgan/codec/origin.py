"""How a shape lay in its file, and where: what a stream or an archive says of it besides its voxels (docs/g3c.md)."""

from __future__ import annotations

import dataclasses

from keras3dgan.voxels import pose
from keras3dgan.voxels.placement import Placement

# The mark of a shape that is coded as it lay, z up, and says nothing of its place.
_PLAIN = 3
_Y_UP, _PLACED = 1, 2


@dataclasses.dataclass(frozen=True)
class Origin:
    """What turns a decoded grid back into what its file held.

    Attributes:
        pose: into which the grid was turned before it was coded, from 0 (as it was) to 23: `voxels.pose.turn`.
        up: the axis that pointed up in the file: `z` or `y`.
        placement: where the grid lay in the units of its mesh; None: not kept.
    """

    pose: int = 0
    up: str = "z"
    placement: Placement | None = None

    @property
    def mark(self) -> int:
        """The byte that says it, but for the placement: 3 for the default, else 4 + (y is up) + 2 (placed) + 8 pose."""
        if self == Origin():
            return _PLAIN
        return 4 + _Y_UP * (self.up == "y") + _PLACED * (self.placement is not None) + 8 * self.pose

    @property
    def place(self) -> bytes:
        """The placement's bytes; none where it is not kept.

        Raises:
            ValueError: the placement does not fit into its bytes.
        """
        content = self.placement.to_bytes() if self.placement else b""
        if content is None:
            raise ValueError("the placement does not fit into its eight bytes; leave it out")
        return content


def is_mark(value: int) -> bool:
    """Whether a byte is some origin's `mark`."""
    return value == _PLAIN or (value & 4 > 0 and value >> 3 < pose.COUNT)


def place_length(mark: int, content: bytes) -> int:
    """How many of the bytes that follow a mark are a placement."""
    return Placement.length(content) if _is_placed(mark) else 0


def read(mark: int, content: bytes) -> Origin:
    """The origin of a mark and of the placement that these bytes begin with, if the mark has one.

    Raises:
        InputError: the placement is cut off.
    """
    if mark == _PLAIN:
        return Origin()
    placement = Placement.from_bytes(content) if _is_placed(mark) else None
    return Origin(mark >> 3, "y" if mark & _Y_UP else "z", placement)


def _is_placed(mark: int) -> bool:
    return mark != _PLAIN and mark & _PLACED > 0
