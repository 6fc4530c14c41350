"""Meshes of SuperTuxKart (`.spm`, version 1): y up, left-handed. Skinned ones in the pose that they were bound in."""

import numpy as np

from keras3dgan.datasets.open_shapes_voxels.readers.cursor import Cursor
from keras3dgan.datasets.open_shapes_voxels.readers.parts import Parts
from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import Surface

_VERSION = 1
_PARTITIONED, _SKINNED = 0, 1
# What a colour of three bytes begins with; this one stands for white, which has none.
_WHITE = 128


def read(content: bytes, name: str) -> Surface:
    """Vertices and triangles; errors as the package says."""
    cursor = Cursor(content, name)
    magic, kind, flags = cursor.values("2sBB")
    if magic != b"SP" or kind >> 3 != _VERSION:
        raise InputError(f"{name}: is no SPM file of version {_VERSION}.")
    kind &= 7
    cursor.take(6 * 4)  # its box
    textured = [_textures(cursor) for _ in range(cursor.values("H")[0])]
    parts = Parts(name)
    for _ in range(cursor.values("H")[0]):
        for _ in range(cursor.values("H")[0]):
            count, indices, material = cursor.values("IIH")
            if material >= len(textured) or indices % 3:
                raise InputError(f"{name}: is cut off or damaged; get the package again.")
            vertices = _vertices(cursor, count, flags, textured[material], kind == _SKINNED)
            parts.add(vertices, cursor.array("u1" if count < 256 else "<u2" if count < 65536 else "<u4", indices))
        if kind == _PARTITIONED:
            cursor.take(6 * 4)
    return parts.surface()


def _textures(cursor: Cursor) -> tuple[bool, bool]:
    """Whether a material has a first and a second texture."""
    return bool(cursor.take(cursor.take(1)[0])), bool(cursor.take(cursor.take(1)[0]))


def _vertices(cursor: Cursor, count: int, flags: int, textured: tuple[bool, bool], skinned: bool) -> np.ndarray:
    """Positions, float32 (count, 3)."""
    normal, coloured, tangent = flags & 1, flags & 2, flags & 4
    before = 12 + (4 if normal else 0)
    after = (4 + (4 if textured[1] else 0) + (4 if tangent else 0)) if textured[0] else 0
    after += 16 if skinned else 0
    if not coloured:
        rows = cursor.array("u1", count * (before + after)).reshape(count, -1)
        return np.ascontiguousarray(rows[:, :12]).view("<f4")
    positions = []
    for _ in range(count):
        positions.append(cursor.take(before)[:12])
        cursor.take(after if cursor.take(1)[0] == _WHITE else 3 + after)
    return np.frombuffer(b"".join(positions), "<f4").reshape(count, 3)
