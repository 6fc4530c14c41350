"""The part of VRML 2 that KiCad's models are written in (`.wrl`): indexed faces without transformations; z up."""

import re

import numpy as np

from keras3dgan.datasets.open_shapes_voxels.readers.parts import Parts
from keras3dgan.errors import InputError
from keras3dgan.voxels.polygons import Polygons, triangulate
from keras3dgan.voxels.readers import Surface

_COMMENT = re.compile(rb"#[^\n]*")
_MOVED = re.compile(rb"\b(Transform|Inline|PROTO|Extrusion|ElevationGrid|Box|Sphere|Cylinder|Cone|Switch)\s*\{")
_ARRAY = re.compile(rb"\b(point|coordIndex)\s*\[([^\]]*)\]")
_LINES = re.compile(rb"\bIndexedLineSet\b")


def read(content: bytes, name: str) -> Surface:
    """Vertices and triangles; errors as the package says."""
    if not content.startswith(b"#VRML V2.0"):
        raise InputError(f"{name}: is no VRML 2 file.")
    text = _COMMENT.sub(b"", content)
    if text.count(b"{") != text.count(b"}"):
        raise InputError(f"{name}: is cut off or damaged; get the package again.")
    other = _MOVED.search(text) or _LINES.search(text)
    if other:
        raise InputError(f"{name}: holds {other[0].decode().rstrip(' {')}, which is not read.")
    parts = Parts(name)
    points: np.ndarray | None = None
    faces: np.ndarray | None = None
    for match in _ARRAY.finditer(text):
        if match[1] == b"point":
            points = _numbers(match[2], float, name).reshape(-1, 3)
        else:
            faces = _numbers(match[2], np.int64, name)
        # Of a face set, its corners may stand before its points.
        if points is not None and faces is not None:
            parts.add(*_triangles(points, faces, name))
            points = faces = None
    return parts.surface()


def _numbers(text: bytes, dtype: type, name: str) -> np.ndarray:
    try:
        numbers = np.array(text.replace(b",", b" ").split(), dtype)
    except ValueError as error:
        raise InputError(f"{name}: is cut off or damaged; get the package again.") from error
    if dtype is float and len(numbers) % 3:
        raise InputError(f"{name}: a point lacks a coordinate; get the package again.")
    return numbers


def _triangles(points: np.ndarray, indices: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    ends = np.flatnonzero(indices == -1)
    if len(indices) and indices[-1] != -1:
        ends = np.append(ends, len(indices))
    sizes = np.diff(ends, prepend=-1) - 1
    corners = indices[indices != -1]
    if len(corners) and not 0 <= corners.min() <= corners.max() < len(points):
        raise InputError(f"{name}: a face names a vertex that does not exist; get the package again.")
    return triangulate(Polygons(points, corners, sizes))
