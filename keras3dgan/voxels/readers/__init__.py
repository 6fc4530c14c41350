"""Readers of mesh files, one file a format: bytes in, vertices and triangles out, or one sentence why not.

Each `read(content, path)` takes the whole file and returns a `Surface` in the file's own axes. It raises `InputError` where
the file holds less than it declares, or something that would change the shape and is not supported. `docs/formats.md` says
what is read, and why by these readers and not by a library's.
"""

import typing

import numpy as np

MAX_FILE_BYTES = 1 << 29
MAX_FACES = 2_000_000
# A mesh has about half as many vertices as faces, and three times as many where faces share none.
MAX_VERTICES = 4 * MAX_FACES


class Surface(typing.NamedTuple):
    """What a mesh file holds.

    Attributes:
        vertices: float64 (n, 3).
        faces: int64 (m, 3), each the three vertices of a triangle.
        rounding: what a lossy compression may have moved each vertex by, as a share of the longest side.
    """

    vertices: np.ndarray
    faces: np.ndarray
    rounding: float = 0.0
