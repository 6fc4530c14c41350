"""The `.g3c` file of one shape, version 2.

offset   bytes  content
0        3      "G3C"
3        1      version, 2
4        4      fingerprint of decoder and tables: the first bytes of `LatentCoder.model`
8        n      symbols, entropy coded (docs/g3c.md)
8 + n    4      CRC-32 of all bytes before it, little-endian
"""

from __future__ import annotations

import os
import pathlib
import struct
import zlib

from keras3dgan.errors import InputError
from keras3dgan.files import replacing

MAGIC = b"G3C"
VERSION = 2
FINGERPRINT_BYTES = 4
_HEADER = len(MAGIC) + 1 + FINGERPRINT_BYTES
_CRC = struct.Struct("<I")
OVERHEAD = _HEADER + _CRC.size
# Far above what any model writes.
_MAX_BYTES = 1 << 17


def wrap(payload: bytes, model: bytes) -> bytes:
    """A stream: header, coded symbols, checksum.

    Args:
        payload: the coded symbols.
        model: what names the decoder; its first four bytes are written.
    """
    content = MAGIC + bytes([VERSION]) + model[:FINGERPRINT_BYTES] + payload
    return content + _CRC.pack(zlib.crc32(content))


def unwrap(content: bytes, model: bytes, name: str = "stream") -> bytes:
    """The coded symbols of a stream; undoes `wrap`.

    Args:
        content: the stream.
        model: what names the decoder that is at hand.
        name: what to call the stream in an error message, usually the file's name.

    Raises:
        InputError: not a .g3c file, another version, cut off, damaged, or written by another model.
    """
    if content[:3] != MAGIC:
        raise InputError(f"{name}: not a .g3c file; give one that 'keras3dgan compress' wrote.")
    if len(content) < OVERHEAD:
        raise InputError(f"{name}: cut off after {len(content)} bytes; get the file again.")
    if content[3] != VERSION:
        raise InputError(
            f"{name}: .g3c version {content[3]}; this program reads version {VERSION}, use the one that wrote it."
        )
    if _CRC.unpack_from(content, len(content) - _CRC.size)[0] != zlib.crc32(content[: -_CRC.size]):
        raise InputError(f"{name}: damaged, its checksum does not match; get the file again.")
    written = content[4:_HEADER]
    if written != model[:FINGERPRINT_BYTES]:
        raise InputError(
            f"{name}: written by model {written.hex()}, this is {model[:FINGERPRINT_BYTES].hex()}; "
            "name the run or the server of that model."
        )
    return content[_HEADER : -_CRC.size]


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
