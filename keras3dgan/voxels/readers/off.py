"""Object File Format, `.off`: ModelNet's `OFF490 ...` without a line end, and the prefixes of Geomview."""

import pathlib
import re

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.polygons import Polygons, triangulate
from keras3dgan.voxels.readers import Surface, text

_HEADER = re.compile(rb"(ST)?(C)?(N)?(4)?(n)?OFF", re.IGNORECASE)


def read(content: bytes, path: pathlib.Path) -> Surface:
    """Vertices and triangles of an `.off` file; colours, normals and texture coordinates behind a vertex are skipped.

    Raises:
        InputError: see `keras3dgan.voxels.readers`.
    """
    if re.match(rb"[^\n]*\bBINARY\b", content.lstrip()[:80], re.IGNORECASE):
        raise InputError(f"{path}: is a binary OFF file, which is not read; export it as text or as .ply.")
    data = text.normalised(content)
    if b"\0" in data:
        raise InputError(f"{path}: is binary, so it is no .off file; give it the suffix of its format.")
    lines = [line for raw in data.split(b"\n") if (line := raw.split(b"#", 1)[0].strip())]
    rest = _behind_header(lines, path)
    counts, *rest = rest if rest else [b""]
    declared = text.integers(counts.split()[:2], str(path))
    if len(declared) < 2 or declared.min() < 0:
        raise InputError(f"{path}: does not say how many vertices and faces it has; get the whole file.")
    vertex_count, face_count = declared.tolist()
    if face_count == 0:
        raise InputError(f"{path}: has no faces; export it as a mesh, not as points or lines.")
    if len(rest) < vertex_count + face_count:
        found, what, wanted = (
            (len(rest), "vertices", vertex_count)
            if len(rest) < vertex_count
            else (len(rest) - vertex_count, "faces", face_count)
        )
        raise InputError(f"{path}: ends after {found} of {wanted} {what}; it was cut off: get the whole file.")
    vertices = _vertices(rest[:vertex_count], path)
    corners, sizes = _faces(rest[vertex_count : vertex_count + face_count], vertex_count, path)
    _refuse_more(rest[vertex_count + face_count :], vertex_count, face_count, path)
    return Surface(*triangulate(Polygons(vertices, corners, sizes)))


def _behind_header(lines: list[bytes], path: pathlib.Path) -> list[bytes]:
    header = _HEADER.match(lines[0]) if lines else None
    if header is None:
        raise InputError(f"{path}: does not begin with the header 'OFF'; get the whole file or export it again.")
    if header[4] or header[5]:
        raise InputError(f"{path}: has other than three coordinates a vertex, which is not read; export it as OFF.")
    behind = lines[0][header.end() :].strip()
    return ([behind] if behind else []) + lines[1:]


def _vertices(lines: list[bytes], path: pathlib.Path) -> np.ndarray:
    words = [line.split(None, 3)[:3] for line in lines]
    short = next((index for index, word in enumerate(words) if len(word) < 3), None)
    if short is not None:
        raise InputError(f"{path}: vertex {short + 1} of {len(lines)} lacks a coordinate; get the whole file.")
    return text.numbers([word for three in words for word in three], str(path)).reshape(-1, 3)


def _faces(lines: list[bytes], vertex_count: int, path: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    words = [line.split() for line in lines]
    sizes = text.integers([word[0] for word in words], str(path))
    for index, (word, size) in enumerate(zip(words, sizes.tolist(), strict=True)):
        if size < 0 or len(word) <= size:
            raise InputError(
                f"{path}: face {index + 1} of {len(lines)} has fewer corners than it says; get the whole file."
            )
    corners = text.integers(
        [corner for word, size in zip(words, sizes.tolist(), strict=True) for corner in word[1 : size + 1]], str(path)
    )
    if len(corners) and not 0 <= corners.min() <= corners.max() < vertex_count:
        raise InputError(f"{path}: its faces name vertices that do not exist ({vertex_count} do); export it again.")
    return corners, sizes


def _refuse_more(lines: list[bytes], vertex_count: int, face_count: int, path: pathlib.Path) -> None:
    """Lines behind the last face are padding, unless they read as further faces: then the count is wrong."""
    if not lines:
        return
    try:
        _faces(lines[:1], vertex_count, path)
    except InputError:
        return
    raise InputError(
        f"{path}: says {face_count} faces, but more of them follow; its counts are wrong: export it again."
    )
