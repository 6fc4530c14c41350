"""Meshes of Quake III and OpenArena (`.md3`): the first of their frames; z up."""

from keras3dgan.datasets.open_shapes_voxels.readers.cursor import Cursor
from keras3dgan.datasets.open_shapes_voxels.readers.parts import Parts
from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import Surface

_VERSION = 15
_NAME = 64


def read(content: bytes, name: str) -> Surface:
    """Vertices and triangles; errors as the package says."""
    cursor = Cursor(content, name)
    magic, version = cursor.values("4sI")
    if magic != b"IDP3" or version != _VERSION:
        raise InputError(f"{name}: is no MD3 file of version {_VERSION}.")
    cursor.take(_NAME)
    _, _, _, count, _, _, _, surfaces, _ = cursor.values("9I")
    parts = Parts(name)
    for _ in range(count):
        cursor.at = surfaces
        cursor.take(4 + _NAME)
        _, _, _, vertices, triangles, at_triangles, _, _, at_vertices, end = cursor.values("10I")
        if end == 0:
            raise InputError(f"{name}: is cut off or damaged; get the package again.")
        faces = Cursor(content, name, surfaces + at_triangles).array("<u4", 3 * triangles)
        positions = Cursor(content, name, surfaces + at_vertices).array("<i2", 4 * vertices).reshape(-1, 4)
        parts.add(positions[:, :3], faces)
        surfaces += end
    return parts.surface()
