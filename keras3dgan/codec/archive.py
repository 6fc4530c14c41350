"""The `.g3a` archive: many shapes of one model in one file, each to be had by its index or name (docs/g3c.md)."""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from keras3dgan.codec import container
from keras3dgan.errors import InputError
from keras3dgan.files import replacing

MAGIC = b"G3A\x02"
_HEADER = len(MAGIC) + container.FINGERPRINT_BYTES
# Offset of the index, number of shapes, CRC-32 of the index and the number.
_FOOTER = struct.Struct("<QII")
# Shapes that share a CRC-32: each costs a quarter of a byte of it, and is read with at most fifteen others.
_GROUP = 16
# An index says less than this of a shape; what claims more is damaged.
_MAX_INDEX = 1 << 28


class ArchiveWriter:
    """Appends shapes to an archive; made by `create`.

    Args:
        file: open for writing, empty.
        model: what names the decoder; its first three bytes are written.
    """

    def __init__(self, file: BinaryIO, model: bytes):
        self._file = file
        self._model = model
        self._names: dict[str, None] = {}
        self._sizes: list[int] = []
        self._checks: list[int] = []
        file.write(MAGIC + model[: container.FINGERPRINT_BYTES])

    def add(self, name: str, stream: bytes) -> None:
        """Appends the shape of a `.g3c` stream.

        Args:
            name: of the shape, or empty: an archive whose shapes have no names is smaller, and they are found by index.
            stream: the shape.

        Raises:
            InputError: the stream is of another model, the name is there already, or there is a line break in it.
            ValueError: some shapes have names and some have none.
        """
        if name in self._names:
            raise InputError(f"{name}: stands twice in one archive; rename one of the files.")
        if "\n" in name:
            raise InputError(f"{name!r}: an archive takes no name with a line break; rename the file.")
        if self._sizes and bool(name) != bool(self._names):
            raise ValueError("all shapes of an archive have names, or none has")
        payload = container.unwrap(stream, self._model, name or "stream")
        self._file.write(payload)
        if name:
            self._names[name] = None
        if len(self._sizes) % _GROUP == 0:
            self._checks.append(0)
        self._sizes.append(len(payload))
        self._checks[-1] = zlib.crc32(payload, self._checks[-1])

    def finish(self) -> None:
        """Writes the index."""
        offset = self._file.tell()
        content = _varints(self._sizes) + "\n".join(self._names).encode()
        index = np.array(self._checks, "<u4").tobytes() + zlib.compress(content, 9)
        count = len(self._sizes)
        self._file.write(index + _FOOTER.pack(offset, count, zlib.crc32(index, count)))


@contextlib.contextmanager
def create(path: str | os.PathLike[str], model: bytes) -> Iterator[ArchiveWriter]:
    """Gives a writer; the archive is there, whole, once the block has ended without an error."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        writer = ArchiveWriter(file, model)
        yield writer
        writer.finish()


class Archive:
    """Reads an archive; only its index is held in memory.

    Args:
        path: the file.

    Attributes:
        names: of the shapes, in their order; their numbers where they have none.
        model: the first three bytes of what names the decoder.

    Raises:
        InputError: the file is missing, no archive, cut off or damaged.
    """

    def __init__(self, path: str | os.PathLike[str]):
        self.path = path
        try:
            with open(path, "rb") as file:
                header = file.read(_HEADER)
                size = file.seek(0, os.SEEK_END)
                self._read_index(file, header, size)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror}).") from error

    def _read_index(self, file: BinaryIO, header: bytes, size: int) -> None:
        if header[: len(MAGIC)] != MAGIC:
            raise InputError(f"{self.path}: not a .g3a archive; give one that 'keras3dgan bulk_compress' wrote.")
        self.model = header[len(MAGIC) :]
        damaged = InputError(f"{self.path}: cut off or damaged, its index cannot be read; get the file again.")
        if size < _HEADER + _FOOTER.size:
            raise damaged
        file.seek(size - _FOOTER.size)
        offset, count, check = _FOOTER.unpack(file.read(_FOOTER.size))
        length = size - _FOOTER.size - offset
        if not _HEADER <= offset <= size - _FOOTER.size or length > _MAX_INDEX:
            raise damaged
        file.seek(offset)
        index = file.read(length)
        if zlib.crc32(index, count) != check:
            raise damaged
        groups = -(-count // _GROUP)
        if 4 * groups > length:
            raise damaged
        self._checks = np.frombuffer(index, "<u4", groups).tolist()
        content = _inflate(index[4 * groups :], damaged)
        sizes, place = _read_varints(content, count)
        names = content[place:].decode("utf-8", "replace").split("\n") if place < len(content) else []
        if len(sizes) != count or len(names) not in (0, count):
            raise damaged
        self._offsets = [_HEADER, *(_HEADER + np.cumsum(sizes, dtype=np.int64)).tolist()]
        if self._offsets[-1] != offset:
            raise damaged
        self.names: list[str] = names or [f"{row:06d}" for row in range(len(sizes))]
        self._rows = {name: row for row, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def stream(self, which: int | str) -> bytes:
        """The `.g3c` stream of a shape, by its index or name.

        Raises:
            InputError: there is no such shape, or it is damaged.
        """
        row = self._rows.get(which, -1) if isinstance(which, str) else which
        if not 0 <= row < len(self):
            raise InputError(f"{self.path}: holds no shape '{which}'; it has {len(self)}.")
        first = row // _GROUP * _GROUP
        bounds = self._offsets[first : first + _GROUP + 1]
        with open(self.path, "rb") as file:
            file.seek(bounds[0])
            group = file.read(bounds[-1] - bounds[0])
        if zlib.crc32(group) != self._checks[row // _GROUP]:
            raise InputError(
                f"{self.path}, {self.names[row]}: it, or a shape beside it, is damaged, their checksum does not match; get the "
                "file again."
            )
        payload = group[self._offsets[row] - bounds[0] : self._offsets[row + 1] - bounds[0]]
        return container.wrap(payload, self.model)


def _varints(numbers: Sequence[int]) -> bytes:
    """Numbers as bytes of seven bits, low ones first, the last of each below 128."""
    result = bytearray()
    for number in numbers:
        while number > 127:
            result.append(number & 127 | 128)
            number >>= 7
        result.append(number)
    return bytes(result)


def _read_varints(content: bytes, count: int) -> tuple[list[int], int]:
    """Undoes `_varints`: as many numbers as there are, up to `count`, and the place behind them."""
    numbers: list[int] = []
    number = shift = place = 0
    while len(numbers) < count and place < len(content):
        number |= (content[place] & 127) << shift
        shift += 7
        if content[place] < 128:
            numbers.append(number)
            number = shift = 0
        place += 1
    return numbers, place


def _inflate(content: bytes, damaged: InputError) -> bytes:
    """Undoes `zlib.compress`, and never makes more of it than an index can be."""
    decompressor = zlib.decompressobj()
    try:
        result = decompressor.decompress(content, _MAX_INDEX)
    except zlib.error as error:
        raise damaged from error
    if not decompressor.eof:
        raise damaged
    return result
