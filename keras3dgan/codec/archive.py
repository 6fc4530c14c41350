"""The `.g3a` archive: many shapes of one model in one file, each to be had by its index or name (docs/g3c.md)."""

from __future__ import annotations

import binascii
import contextlib
import json
import os
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from keras3dgan.codec import container
from keras3dgan.errors import InputError
from keras3dgan.files import replacing

MAGIC = b"G3A\x01"
_HEADER = len(MAGIC) + container.FINGERPRINT_BYTES
# Offset of the index, its CRC-32.
_FOOTER = struct.Struct("<QI")
# An index says less than this of a shape; what claims more is damaged.
_MAX_INDEX = 1 << 28


class ArchiveWriter:
    """Appends shapes to an archive; made by `create`.

    Args:
        file: open for writing, empty.
        model: what names the decoder; its first four bytes are written.
    """

    def __init__(self, file: BinaryIO, model: bytes):
        self._file = file
        self._model = model
        self._index: dict[str, tuple[int, int]] = {}
        file.write(MAGIC + model[: container.FINGERPRINT_BYTES])

    def add(self, name: str, stream: bytes) -> None:
        """Appends the shape of a `.g3c` stream.

        Raises:
            InputError: the stream is of another model, or the name is there already.
        """
        if name in self._index:
            raise InputError(f"{name}: stands twice in one archive; rename one of the files.")
        payload = container.unwrap(stream, self._model, name)
        self._file.write(payload)
        self._index[name] = (len(payload), binascii.crc_hqx(payload, 0))

    def finish(self) -> None:
        """Writes the index."""
        offset = self._file.tell()
        sizes, checks = zip(*self._index.values(), strict=True) if self._index else ((), ())
        index = zlib.compress(json.dumps({"names": [*self._index], "sizes": sizes, "checks": checks}).encode(), 9)
        self._file.write(index + _FOOTER.pack(offset, zlib.crc32(index)))


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
        names: of the shapes, in their order.
        model: the first four bytes of what names the decoder.

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
        offset, check = _FOOTER.unpack(file.read(_FOOTER.size))
        length = size - _FOOTER.size - offset
        if not _HEADER <= offset <= size - _FOOTER.size or length > _MAX_INDEX:
            raise damaged
        file.seek(offset)
        content = file.read(length)
        if zlib.crc32(content) != check:
            raise damaged
        index = json.loads(_inflate(content, damaged))
        self.names: list[str] = index["names"]
        self._checks: list[int] = index["checks"]
        self._offsets = [_HEADER]
        for count in index["sizes"]:
            self._offsets.append(self._offsets[-1] + count)
        if self._offsets[-1] != offset or not len(self.names) == len(self._checks) == len(self._offsets) - 1:
            raise damaged
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
        with open(self.path, "rb") as file:
            file.seek(self._offsets[row])
            payload = file.read(self._offsets[row + 1] - self._offsets[row])
        if binascii.crc_hqx(payload, 0) != self._checks[row]:
            raise InputError(
                f"{self.path}, {self.names[row]}: damaged, its checksum does not match; get the file again."
            )
        return container.wrap(payload, self.model)


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
