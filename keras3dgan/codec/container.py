"""The `.g3c` file of one shape, versions 3 and 4.

offset   bytes  content
0        1      "G"
1        1      version and how the shape lay in its file: `Origin.mark`
2        3      fingerprint of decoder and tables: the first bytes of what names the model
5        p      placement, where the mark says so
5 + p    n      payload, entropy coded (docs/g3c.md)
5 + p + n  2    CRC-16/XMODEM of all bytes before it, little-endian

Shapes take tens of bytes, so the header is as short as it may be: a model is mistaken for another in one of 16 million cases,
and of damaged files one in 65536 passes the checksum.
"""

from __future__ import annotations

import binascii
import os
import pathlib
import struct

from keras3dgan.codec import origin as origins
from keras3dgan.codec.origin import Origin
from keras3dgan.codec.shipped import shipped_as
from keras3dgan.errors import InputError
from keras3dgan.files import replacing

MAGIC = b"G"
FINGERPRINT_BYTES = 3
_HEADER = len(MAGIC) + 1 + FINGERPRINT_BYTES
_CRC = struct.Struct("<H")
OVERHEAD = _HEADER + _CRC.size
# Far above what any model writes.
_MAX_BYTES = 1 << 20
# What is above it was not written by a later program, but is no stream.
_MOST_VERSION = 31


def wrap(payload: bytes, model: bytes, origin: Origin = Origin()) -> bytes:
    """A stream: header, placement, payload, checksum.

    Args:
        payload: the coded shape.
        model: what names the decoder; its first three bytes are written.
        origin: how the shape lay in its file.
    """
    content = MAGIC + bytes([origin.mark]) + model[:FINGERPRINT_BYTES] + origin.place + payload
    return content + _CRC.pack(binascii.crc_hqx(content, 0))


def unwrap(content: bytes, model: bytes, name: str = "stream") -> bytes:
    """The payload of a stream; undoes `wrap`.

    Args:
        content: the stream.
        model: what names the decoder that is at hand.
        name: what to call the stream in an error message, usually the file's name.

    Raises:
        InputError: not a .g3c file, another version, cut off, damaged, or written by another model.
    """
    if content[:1] != MAGIC:
        raise InputError(f"{name}: not a .g3c file; give one that 'keras3dgan compress' wrote.")
    if len(content) < OVERHEAD:
        raise InputError(f"{name}: cut off after {len(content)} bytes; get the file again.")
    if not origins.is_mark(content[1]):
        # Versions 1 and 2 began with "G3C".
        version = content[3] if content[:3] == b"G3C" else content[1]
        if version > _MOST_VERSION:
            raise InputError(f"{name}: not a .g3c file; give one that 'keras3dgan compress' wrote.")
        raise InputError(f"{name}: .g3c version {version}; this program reads 3 and 4, use the one that wrote it.")
    if _CRC.unpack_from(content, len(content) - _CRC.size)[0] != binascii.crc_hqx(content[: -_CRC.size], 0):
        raise InputError(f"{name}: damaged, its checksum does not match; get the file again.")
    check_model(fingerprint(content), model, name)
    rest = content[_HEADER : -_CRC.size]
    size = origins.place_length(content[1], rest)
    if len(rest) < size:
        raise InputError(f"{name}: damaged, its placement is cut off; get the file again.")
    return rest[size:]


def origin(content: bytes) -> Origin:
    """How the shape of a stream, which `unwrap` has taken, lay in its file."""
    return origins.read(content[1], content[_HEADER : -_CRC.size])


def fingerprint(content: bytes) -> bytes:
    """What a stream says of its model."""
    return content[_HEADER - FINGERPRINT_BYTES : _HEADER]


def check_model(written: bytes, model: bytes, name: str) -> None:
    """Checks that a file's fingerprint is that of the model at hand.

    Raises:
        InputError: it is another's.
    """
    if written != model[:FINGERPRINT_BYTES]:
        known = shipped_as(written)
        remedy = f"give model {known}" if known else "name the run, the file or the server of that model"
        raise InputError(
            f"{name}: written by model {written.hex()}, this is {model[:FINGERPRINT_BYTES].hex()}; {remedy}."
        )


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
