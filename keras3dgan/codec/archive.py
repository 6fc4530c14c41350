"""The `.g3a` archive: many shapes of one model in one file, each to be had by its index or name (docs/g3c.md)."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from keras3dgan.codec import archive_names, container, varints
from keras3dgan.codec import origin as origins
from keras3dgan.codec.goals import Point
from keras3dgan.codec.origin import Origin
from keras3dgan.codec.shape_codec import ShapeCodec, turned_back
from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels.placement import MAX_BYTES

MAGIC = b"G3A"
# Of shapes that lay as they are coded, and whose places are not kept; and of others.
_PLAIN, _PLACED = b"\x03", b"\x04"
_HEADER = len(MAGIC) + 1 + container.FINGERPRINT_BYTES
# Offset of the index, number of shapes, CRC-32 of the index and the number.
_FOOTER = struct.Struct("<QII")
# Shapes of a block: they share its checksum, its size and the byte that it is rounded up to, and are read together.
_GROUP = 16
# What all that adds to a shape, in bytes, at most: a block's CRC-32, two bytes of size and the last byte, of a whole block.
SHARE = (4 + 2 + 1) / _GROUP
# What the mark of a shape takes that is not coded as it lay, in an index that is packed.
TURNING = 0.75
# Blocks that are coded at a time, on all cores.
_AHEAD = 8
# No index is longer, packed or unpacked; what claims more is damaged. A size takes at most so many bytes.
_MAX_INDEX = 1 << 27
_MAX_SIZE = 9
# Each takes hundreds of bytes of memory.
MOST_SHAPES = 1 << 22


class ArchiveWriter:
    """Appends shapes to an archive; made by `create`.

    Args:
        file: open for writing, empty.
        codec: what codes the shapes.

    Example:
        >>> from keras3dgan import codec
        >>> exact = codec.load()
        >>> [point] = exact.choose(exact.sample(1), archived=True)
        >>> with create("one.g3a", exact) as writer:
        ...     writer.add("the only one", point)
    """

    def __init__(self, file: BinaryIO, codec: ShapeCodec):
        self._file = file
        self._codec = codec
        self._names: dict[str, None] = {}
        self._count = 0
        self._waiting: list[Point] = []
        self._sizes: list[int] = []
        self._checks: list[int] = []
        self._origins: list[Origin] = []
        file.write(MAGIC + _PLAIN + codec.fingerprint[: container.FINGERPRINT_BYTES])

    def add(self, name: str, point: Point) -> None:
        """Appends a shape.

        Args:
            name: of the shape, or empty: an archive whose shapes have no names is smaller, and they are found by index.
            point: the shape, as the codec's `choose` with `archived` gave it.

        Raises:
            InputError: the name is there already, or `archive_names.check` does not take it.
            ValueError: some shapes have names and some have none.
        """
        if name:
            archive_names.check(name)
        if name in self._names:
            raise InputError(f"{name}: stands twice in one archive; rename one of the files.")
        if self._count == MOST_SHAPES:
            raise InputError(f"{name or 'this shape'}: an archive takes {MOST_SHAPES} shapes; put it into another.")
        if self._count and bool(name) != bool(self._names):
            raise ValueError("all shapes of an archive have names, or none has")
        if name:
            self._names[name] = None
        self._count += 1
        self._waiting.append(point)
        self._origins.append(point.origin)
        if len(self._waiting) == _AHEAD * _GROUP:
            self._write_blocks()

    def _write_blocks(self) -> None:
        starts = range(0, len(self._waiting), _GROUP)
        for block in self._codec.blocks([self._waiting[start : start + _GROUP] for start in starts]):
            self._file.write(block)
            self._sizes.append(len(block))
            self._checks.append(zlib.crc32(block))
        self._waiting.clear()

    @property
    def shape_bytes(self) -> int:
        """Of the shapes written so far, as goals count them; once finished, all else are header, names and the index's frame."""
        blocks = sum(self._sizes) + 4 * len(self._checks) + len(varints.write(self._sizes))
        return blocks + math.ceil(sum(map(of_origin, self._origins)))

    def finish(self) -> None:
        """Writes what is left, and the index."""
        self._write_blocks()
        offset = self._file.tell()
        content = varints.write(self._sizes) + self._how_they_lay() + "\n".join(self._names).encode()
        index = np.array(self._checks, "<u4").tobytes() + zlib.compress(content, 9)
        self._file.write(index + _FOOTER.pack(offset, self._count, zlib.crc32(index, self._count)))

    def _how_they_lay(self) -> bytes:
        """The marks of all shapes and then their placements; nothing where they lay as they are coded."""
        if all(origin == Origin() for origin in self._origins):
            return b""
        self._file.seek(len(MAGIC))
        self._file.write(_PLACED)
        self._file.seek(0, os.SEEK_END)
        return bytes(origin.mark for origin in self._origins) + b"".join(origin.place for origin in self._origins)


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

    Example:
        >>> from keras3dgan import codec
        >>> exact = codec.load()
        >>> with create("shapes.g3a", exact) as writer:
        ...     for number, point in enumerate(exact.choose(exact.sample(2), archived=True)):
        ...         writer.add(f"shape {number}", point)
        >>> archive = Archive("shapes.g3a")
        >>> archive.names
        ['shape 0', 'shape 1']
        >>> archive.shape("shape 1", exact).shape
        (32, 32, 32)
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
        damaged = InputError(f"{self.path}: cut off or damaged, its index cannot be read; get the file again.")
        if size < _HEADER + _FOOTER.size:
            raise damaged
        version, self.fingerprint = header[len(MAGIC) : len(MAGIC) + 1], header[len(MAGIC) + 1 :]
        if version not in (_PLAIN, _PLACED):
            raise InputError(
                f"{self.path}: .g3a version {version[0]}; this program reads 3 and 4, use the one that wrote it."
            )
        file.seek(size - _FOOTER.size)
        offset, count, check = _FOOTER.unpack(file.read(_FOOTER.size))
        length = size - _FOOTER.size - offset
        if not _HEADER <= offset <= size - _FOOTER.size or length > _MAX_INDEX or count > MOST_SHAPES:
            raise damaged
        file.seek(offset)
        index = file.read(length)
        if zlib.crc32(index, count) != check:
            raise damaged
        blocks = -(-count // _GROUP)
        if 4 * blocks > length:
            raise damaged
        self._checks = np.frombuffer(index, "<u4", blocks).tolist()
        most = _MAX_SIZE * blocks + (archive_names.MOST_BYTES + 1 + 1 + MAX_BYTES) * count
        content = _inflate(index[4 * blocks :], most, damaged)
        sizes, place = varints.read(content, blocks)
        # Python's integers, which a damaged size cannot overflow.
        self._offsets = [*itertools.accumulate(sizes, initial=_HEADER)]
        if len(sizes) != blocks or self._offsets[-1] != offset:
            raise damaged
        self._marks, self._places, size = b"", b"", 0
        if version == _PLACED:
            self._marks, self._places = content[place : place + count], content[place + count :]
            size = count + self._find_places(count, damaged)
        self.names = _names(content[place + size :], count, damaged)
        self._rows: dict[str, int | None] = {}
        for row, name in enumerate(self.names):
            self._rows[name] = None if name in self._rows else row

    def _find_places(self, count: int, damaged: InputError) -> int:
        """Where the placement of each shape stands; how many bytes all take."""
        if len(self._marks) != count or not all(map(origins.is_mark, self._marks)):
            raise damaged
        self._place_of = np.zeros(count + 1, np.int64)
        at = 0
        for row, mark in enumerate(self._marks):
            at += origins.place_length(mark, self._places[at : at + MAX_BYTES])
            self._place_of[row + 1] = at
        if at > len(self._places):
            raise damaged
        self._places = self._places[:at]
        return at

    def __len__(self) -> int:
        return len(self.names)

    def origin(self, row: int) -> Origin:
        """How a shape lay in its file."""
        if not self._marks:
            return Origin()
        return origins.read(self._marks[row], self._places[self._place_of[row] : self._place_of[row + 1]])

    @property
    def blocks(self) -> list[range]:
        """The rows of the shapes of each block."""
        return [range(start, min(start + _GROUP, len(self))) for start in range(0, len(self), _GROUP)]

    def read_block(self, index: int, codec: ShapeCodec) -> np.ndarray:
        """Occupancy float32 (count, n, n, n) in [0, 1], z up, of all shapes of a block.

        Raises:
            InputError: it is damaged, or was written by another model.
        """
        rows = self.blocks[index]
        first, last = (archive_names.shown(self.names[row]) for row in (rows[0], rows[-1]))
        names = f"{self.path}, {first}" + (f" to {last}" if len(rows) > 1 else "")
        container.check_model(self.fingerprint, codec.fingerprint, str(self.path))
        begin, end = self._offsets[index : index + 2]
        with open(self.path, "rb") as file:
            file.seek(begin)
            block = file.read(end - begin)
        if zlib.crc32(block) != self._checks[index]:
            raise InputError(f"{names}: damaged, their checksum does not match; get the file again.")
        return turned_back([self.origin(row) for row in rows], codec.decode_block(block, len(rows), names))

    def shape(self, which: int | str, codec: ShapeCodec) -> np.ndarray:
        """Occupancy float32 (n, n, n) in [0, 1] of a shape, by its index or name.

        Raises:
            InputError: there is no such shape, or there are several of that name; or its block is damaged, or was written by
                another model.
        """
        row = self._rows.get(which, -1) if isinstance(which, str) else which
        called = archive_names.shown(str(which))
        if row is None:
            raise InputError(f"{self.path}: holds several shapes '{called}'; ask for one by its number.")
        if not 0 <= row < len(self):
            raise InputError(f"{self.path}: holds no shape '{called}'; it has {len(self)}.")
        return self.read_block(row // _GROUP, codec)[row % _GROUP]


def of_origin(origin: Origin) -> float:
    """What is written of how a shape lay, in bytes."""
    return len(origin.place) + TURNING * (origin.pose > 0)


def _inflate(content: bytes, most: int, damaged: InputError) -> bytes:
    """Undoes `zlib.compress`, and never makes more of it than an index of its shapes can be."""
    decompressor = zlib.decompressobj()
    try:
        result = decompressor.decompress(content, min(most, _MAX_INDEX))
    except zlib.error as error:
        raise damaged from error
    if not decompressor.eof:
        raise damaged
    return result


def _names(content: bytes, count: int, damaged: InputError) -> list[str]:
    """The names of an index, or numbers where it has none; counted before they are made, since each takes memory."""
    if not content:
        return [f"{row:06d}" for row in range(count)]
    if content.count(b"\n") != count - 1:
        raise damaged
    try:
        return content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise damaged from error
