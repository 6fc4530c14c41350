"""An archive of 100,000 shapes, made in a moment: one block again and again, each shape with a name of its own."""

from __future__ import annotations

import pathlib
import struct
import zlib

from keras3dgan.codec.octree.model import OctreeModel

BLOCKS = 6250


def write_catalogue(path: pathlib.Path, model: OctreeModel, block: bytes) -> None:
    """Writes it.

    Args:
        path: of the archive.
        model: which wrote the block.
        block: the payload of sixteen shapes.
    """
    names = "\n".join(f"chairs/{row % 97}/{row}" for row in range(16 * BLOCKS)).encode()
    size, left = bytearray(), len(block)
    while left > 127:
        size.append(left % 128 + 128)
        left //= 128
    size.append(left)
    index = struct.pack("<I", zlib.crc32(block)) * BLOCKS + zlib.compress(bytes(size) * BLOCKS + names, 9)
    body = b"G3A\3" + model.fingerprint[:3] + block * BLOCKS
    path.write_bytes(body + index + struct.pack("<QII", len(body), 16 * BLOCKS, zlib.crc32(index, 16 * BLOCKS)))
