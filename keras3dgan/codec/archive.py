"""The `.g3a` archive: many shapes of one model in one file, each to be had by its index or name (docs/g3c.md)."""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from keras3dgan.codec import container, varints
from keras3dgan.codec.goals import Point
from keras3dgan.codec.shape_codec import ShapeCodec
from keras3dgan.errors import InputError
from keras3dgan.files import replacing

MAGIC = b"G3A\x03"
_HEADER = len(MAGIC) + container.FINGERPRINT_BYTES
# Offset of the index, number of shapes, CRC-32 of the index and the number.
_FOOTER = struct.Struct("<QII")
# Shapes of a block: they share its checksum, its size and the byte that it is rounded up to, and are read together.
_GROUP = 16
# What all that adds to a shape, in bytes, at most: a block's CRC-32, two bytes of size and the last byte, of a whole block.
SHARE = (4 + 2 + 1) / _GROUP
# Blocks that are coded at a time, on all cores.
_AHEAD = 8
# An index says less than this of a shape; what claims more is damaged.
_MAX_INDEX = 1 << 28


class ArchiveWriter:
    """Appends shapes to an archive; made by `create`.

    Args:
        file: open for writing, empty.
        codec: what codes the shapes.
    """

    def __init__(self, file: BinaryIO, codec: ShapeCodec):
        self._file = file
        self._codec = codec
        self._names: dict[str, None] = {}
        self._count = 0
        self._waiting: list[Point] = []
        self._sizes: list[int] = []
        self._checks: list[int] = []
        file.write(MAGIC + codec.fingerprint[: container.FINGERPRINT_BYTES])

    def add(self, name: str, point: Point) -> None:
        """Appends a shape.

        Args:
            name: of the shape, or empty: an archive whose shapes have no names is smaller, and they are found by index.
            point: the shape, as the codec's `choose` with `archived` gave it.

        Raises:
            InputError: the name is there already, or there is a line break in it.
            ValueError: some shapes have names and some have none.
        """
        if name in self._names:
            raise InputError(f"{name}: stands twice in one archive; rename one of the files.")
        if "\n" in name:
            raise InputError(f"{name!r}: an archive takes no name with a line break; rename the file.")
        if self._count and bool(name) != bool(self._names):
            raise ValueError("all shapes of an archive have names, or none has")
        if name:
            self._names[name] = None
        self._count += 1
        self._waiting.append(point)
        if len(self._waiting) == _AHEAD * _GROUP:
            self._write_blocks()

    def _write_blocks(self) -> None:
        starts = range(0, len(self._waiting), _GROUP)
        for block in self._codec.blocks([self._waiting[start : start + _GROUP] for start in starts]):
            self._file.write(block)
            self._sizes.append(len(block))
            self._checks.append(zlib.crc32(block))
        self._waiting.clear()

    def finish(self) -> None:
        """Writes what is left, and the index."""
        self._write_blocks()
        offset = self._file.tell()
        content = varints.write(self._sizes) + "\n".join(self._names).encode()
        index = np.array(self._checks, "<u4").tobytes() + zlib.compress(content, 9)
        self._file.write(index + _FOOTER.pack(offset, self._count, zlib.crc32(index, self._count)))


@contextlib.contextmanager
def create(path: str | os.PathLike[str], codec: ShapeCodec) -> Iterator[ArchiveWriter]:
    """Gives a writer; the archive is there, whole, once the block has ended without an error."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        writer = ArchiveWriter(file, codec)
        yield writer
        writer.finish()


class Archive:
    """Reads an archive; only its index is held in memory.

    Args:
        path: the file.

    Attributes:
        names: of the shapes, in their order; their numbers where they have none.
        fingerprint: the first three bytes of the decoder's.

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
        self.fingerprint = header[len(MAGIC) :]
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
        blocks = -(-count // _GROUP)
        if 4 * blocks > length:
            raise damaged
        self._checks = np.frombuffer(index, "<u4", blocks).tolist()
        content = _inflate(index[4 * blocks :], damaged)
        sizes, place = varints.read(content, blocks)
        names = content[place:].decode("utf-8", "replace").split("\n") if place < len(content) else []
        if len(sizes) != blocks or len(names) not in (0, count):
            raise damaged
        # Python's integers, which a damaged size cannot overflow.
        self._offsets = [*itertools.accumulate(sizes, initial=_HEADER)]
        if self._offsets[-1] != offset:
            raise damaged
        self.names: list[str] = names or [f"{row:06d}" for row in range(count)]
        self._rows = {name: row for row, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    @property
    def blocks(self) -> list[range]:
        """The rows of the shapes of each block."""
        return [range(start, min(start + _GROUP, len(self))) for start in range(0, len(self), _GROUP)]

    def read_block(self, index: int, codec: ShapeCodec) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1] of all shapes of a block.

        Raises:
            InputError: it is damaged, or was written by another model.
        """
        rows = self.blocks[index]
        names = f"{self.path}, {self.names[rows[0]]}" + (f" to {self.names[rows[-1]]}" if len(rows) > 1 else "")
        container.check_model(self.fingerprint, codec.fingerprint, str(self.path))
        begin, end = self._offsets[index : index + 2]
        with open(self.path, "rb") as file:
            file.seek(begin)
            block = file.read(end - begin)
        if zlib.crc32(block) != self._checks[index]:
            raise InputError(f"{names}: damaged, their checksum does not match; get the file again.")
        return codec.decode_block(block, len(rows), names)

    def shape(self, which: int | str, codec: ShapeCodec) -> np.ndarray:
        """Occupancy float32 (n, n, n) in [0, 1] of a shape, by its index or name.

        Raises:
            InputError: there is no such shape, or its block is damaged, or was written by another model.
        """
        row = self._rows.get(which, -1) if isinstance(which, str) else which
        if not 0 <= row < len(self):
            raise InputError(f"{self.path}: holds no shape '{which}'; it has {len(self)}.")
        return self.read_block(row // _GROUP, codec)[row % _GROUP]


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
