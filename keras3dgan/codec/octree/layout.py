"""What an array of an octree model's file is like."""

from __future__ import annotations

from typing import NamedTuple


class Layout(NamedTuple):
    """Type, shape and values of an array.

    Attributes:
        dtype: as numpy names it.
        shape: its lengths; a `Length` is one that arrays share, by its name.
        least: no value is smaller.
        most: no value is greater.
        optional: whether a model may be without it.
    """

    dtype: str
    shape: tuple[int | Length, ...]
    least: int
    most: int
    optional: bool = False

    def fits(self, shape: tuple[int, ...], lengths: dict[str, int]) -> bool:
        """Whether an array may have this shape.

        Args:
            shape: of the array.
            lengths: those met so far, by name; gets the new ones.
        """
        if len(shape) != len(self.shape):
            return False
        for found, wanted in zip(shape, self.shape, strict=True):
            if isinstance(wanted, int):
                if found != wanted:
                    return False
            elif not wanted.least <= found <= wanted.most or found != lengths.setdefault(wanted.name, found):
                return False
        return True

    def words(self, lengths: dict[str, int]) -> str:
        """The shape for a message, with the lengths met so far."""
        parts = [str(n if isinstance(n, int) else lengths.get(n.name, n)) for n in self.shape]
        return f"({', '.join(parts)})"


class Length(NamedTuple):
    """A length that arrays of one file share.

    Attributes:
        name: of what is counted.
        least, most: its bounds.
    """

    name: str
    least: int
    most: int

    def __str__(self) -> str:
        return f"{self.least} to {self.most} {self.name}"
