"""Meshes of Warzone 2100 (`.pie`, versions 2 to 4, text): y up."""

import numpy as np

from keras3dgan.datasets.open_shapes_voxels.readers.parts import Parts
from keras3dgan.errors import InputError
from keras3dgan.voxels.polygons import Polygons, triangulate
from keras3dgan.voxels.readers import Surface


def read(content: bytes, name: str) -> Surface:
    """Vertices and triangles; errors as the package says."""
    lines = [line.split() for line in content.decode("latin-1").splitlines()]
    if not lines or lines[0][:1] != ["PIE"]:
        raise InputError(f"{name}: is no PIE file.")
    parts = Parts(name)
    vertices = np.empty((0, 3))
    try:
        for at, words in enumerate(lines):
            if words[:1] == ["POINTS"]:
                vertices = np.array([line[:3] for line in _block(lines, at)], dtype=float).reshape(-1, 3)
            elif words[:1] == ["POLYGONS"]:
                # A polygon: flags, the number of its corners, the corners; texture coordinates follow.
                corners = [[int(word) for word in line[2 : 2 + int(line[1])]] for line in _block(lines, at)]
                sizes = np.array([len(each) for each in corners], np.int64)
                flat = np.array([corner for each in corners for corner in each], np.int64)
                if len(flat) and not 0 <= flat.min() <= flat.max() < len(vertices):
                    raise InputError(f"{name}: a face names a vertex that does not exist; get the package again.")
                parts.add(*triangulate(Polygons(vertices, flat, sizes)))
    except (ValueError, IndexError) as error:
        raise InputError(f"{name}: is cut off or damaged; get the package again.") from error
    return parts.surface()


def _block(lines: list[list[str]], at: int) -> list[list[str]]:
    """The lines that belong to the line `at`, which ends in their number."""
    count = int(lines[at][1])
    found = lines[at + 1 : at + 1 + count]
    if len(found) < count:
        raise ValueError("cut off")
    return found
