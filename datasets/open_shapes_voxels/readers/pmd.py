"""Meshes of 0 A.D. (`.pmd`, versions 3 and 4): vertices in the pose of rest, triangles; y up, left-handed."""

import numpy as np

from keras3dgan.datasets.open_shapes_voxels.readers.cursor import Cursor
from keras3dgan.datasets.open_shapes_voxels.readers.parts import Parts
from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import Surface


def read(content: bytes, name: str) -> Surface:
    """Vertices and triangles; errors as the package says."""
    cursor = Cursor(content, name)
    magic, version, _, count = cursor.values("4sIII")
    if magic != b"PSMD" or version not in (3, 4):
        raise InputError(f"{name}: is no PMD file of version 3 or 4.")
    textures = cursor.values("I")[0] if version == 4 else 1
    if textures > 8:
        raise InputError(f"{name}: is cut off or damaged; get the package again.")
    # Behind position, normal and texture coordinates: four bones and their weights.
    layout = np.dtype([("position", "<f4", 3), ("rest", "<f4", 3 + 2 * textures), ("bones", "u1", 4), ("w", "<f4", 4)])
    vertices = cursor.array(layout, count)["position"]
    faces = cursor.array("<u2", 3 * cursor.values("I")[0])
    parts = Parts(name)
    parts.add(vertices, faces)
    return parts.surface()
