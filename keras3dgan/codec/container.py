"""The `.g3c` file of one shape, version 1.

    offset  bytes  content
    0       3      "G3C"
    3       1      version, 1
    4       8      fingerprint of the decoder: the first bytes of models.fingerprint
    12      2      resolution, little-endian
    14      2      number of latents n, little-endian
    16      2 n    latents, IEEE half precision, little-endian
    16+2n   4      CRC-32 of all bytes before it, little-endian

A reader knows the whole size from the first 16 bytes, so nothing in a file can make it allocate more than 128 KiB.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import struct
import zlib

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels.grid import MAX_RESOLUTION

MAGIC = b"G3C"
VERSION = 1
FINGERPRINT_BYTES = 8
_HEADER = struct.Struct("<3sB8sHH")
_CRC = struct.Struct("<I")
_MAX_BYTES = _HEADER.size + 2 * 0xFFFF + _CRC.size


@dataclasses.dataclass(frozen=True)
class CompressedShape:
    """What a `.g3c` file says.

    Attributes:
        fingerprint: 8 bytes that name the decoder.
        resolution: n of the n^3 grid it decodes to.
        latents: float16 (n,), finite.
    """

    fingerprint: bytes
    resolution: int
    latents: np.ndarray

    def to_bytes(self) -> bytes:
        """The file's content.

        Raises:
            ValueError: a latent is not finite in half precision, or there are more than 65535.
        """
        with np.errstate(over="ignore"):  # refused below
            latents = np.asarray(self.latents).astype("<f2")
        if not np.isfinite(latents).all() or latents.ndim != 1 or latents.size > 0xFFFF:
            raise ValueError("latents must be at most 65535 numbers that are finite in half precision")
        header = _HEADER.pack(MAGIC, VERSION, self.fingerprint, self.resolution, latents.size)
        content = header + latents.tobytes()
        return content + _CRC.pack(zlib.crc32(content))

    @classmethod
    def from_bytes(cls, content: bytes, name: str = "stream") -> CompressedShape:
        """Reads a file's content; undoes `to_bytes`.

        Args:
            content: the bytes.
            name: what to call them in an error message, usually the file's name.

        Raises:
            InputError: not a .g3c file, another version, cut off, damaged, or with impossible values.
        """
        if content[:3] != MAGIC:
            raise InputError(f"{name}: not a .g3c file; give one that 'keras3dgan compress' wrote.")
        if len(content) < _HEADER.size + _CRC.size:
            raise InputError(f"{name}: cut off after {len(content)} bytes; get the file again.")
        _, version, fingerprint, resolution, count = _HEADER.unpack_from(content)
        if version != VERSION:
            raise InputError(f"{name}: .g3c version {version}; this program reads version {VERSION}, update it.")
        if len(content) != _HEADER.size + 2 * count + _CRC.size:
            raise InputError(
                f"{name}: {len(content)} bytes where its header announces another size; get the file again."
            )
        if _CRC.unpack_from(content, len(content) - _CRC.size)[0] != zlib.crc32(content[: -_CRC.size]):
            raise InputError(f"{name}: damaged, its checksum does not match; get the file again.")
        latents = np.frombuffer(content, "<f2", count, _HEADER.size)
        if not 0 < resolution <= MAX_RESOLUTION or count == 0 or not np.isfinite(latents).all():
            raise InputError(f"{name}: holds impossible values though its checksum is right; compress the shape again.")
        return cls(fingerprint, resolution, latents)


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file that may be a `.g3c` file; never more than one can have.

    Raises:
        InputError: the file is missing, cannot be read, or is larger than any .g3c file.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    if len(content) > _MAX_BYTES:
        raise InputError(f"{path}: not a .g3c file, it is larger than any; give one that 'keras3dgan compress' wrote.")
    return content


def write(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file whole or not at all."""
    with replacing(path) as temporary:
        pathlib.Path(temporary).write_bytes(content)
