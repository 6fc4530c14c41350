"""Reading of binary files from front to back, little-endian."""

import struct
from typing import Any

import numpy as np

from keras3dgan.errors import InputError


class Cursor:
    """A place in the bytes of a file; what is read moves it on.

    Args:
        content: the whole file.
        name: what to call it in an error message.
        at: where to begin.
    """

    def __init__(self, content: bytes, name: str, at: int = 0):
        self._content = content
        self._name = name
        self.at = at

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            InputError: the file has fewer.
        """
        if size < 0 or self.at < 0 or self.at + size > len(self._content):
            raise InputError(f"{self._name}: is cut off or damaged; get the package again.")
        self.at += size
        return self._content[self.at - size : self.at]

    def values(self, layout: str) -> tuple[Any, ...]:
        """The next values, by the letters of `struct`."""
        return struct.unpack("<" + layout, self.take(struct.calcsize("<" + layout)))

    def array(self, dtype: str | np.dtype, count: int) -> np.ndarray:
        """The next values of one kind, (count,)."""
        kind = np.dtype(dtype)
        return np.frombuffer(self.take(kind.itemsize * count), kind)
