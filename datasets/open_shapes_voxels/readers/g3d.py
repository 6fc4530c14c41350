"""Meshes of MegaGlest (`.g3d`, version 4): the first of their frames; y up."""

from keras3dgan.datasets.open_shapes_voxels.readers.cursor import Cursor
from keras3dgan.datasets.open_shapes_voxels.readers.parts import Parts
from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import Surface

_NAME = 64


def read(content: bytes, name: str) -> Surface:
    """Vertices and triangles; errors as the package says."""
    cursor = Cursor(content, name)
    magic, version, count, _ = cursor.values("3sBHB")
    if magic != b"G3D" or version != 4:
        raise InputError(f"{name}: is no G3D file of version 4.")
    parts = Parts(name)
    for _ in range(count):
        cursor.take(_NAME)
        frames, vertices, indices = cursor.values("III")
        cursor.take(8 * 4)  # colours, their strength, opacity
        _, textures = cursor.values("II")
        cursor.take(_NAME * textures.bit_count())
        positions = cursor.array("<f4", 3 * frames * vertices)
        cursor.take(3 * 4 * frames * vertices)  # normals
        cursor.take(2 * 4 * vertices if textures else 0)
        faces = cursor.array("<u4", indices)
        if frames == 0 or indices % 3:
            raise InputError(f"{name}: has a part without a frame, or half a triangle.")
        parts.add(positions[: 3 * vertices].reshape(-1, 3), faces)
    return parts.surface()
