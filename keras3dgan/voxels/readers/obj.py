"""Wavefront `.obj`: `v` and `f` lines, read as tolerantly as the programs that people use read them."""

import pathlib
import re

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.polygons import Polygons, triangulate
from keras3dgan.voxels.readers import Surface, text

_COMMENT = re.compile(rb"#[^\n]*")
# What would be part of the shape and is not read; everything else that is not `v` or `f` carries no surface.
_UNSUPPORTED = {
    b"surf": "free-form surfaces",
    b"bzp": "patches",
    b"bsp": "patches",
    b"cdc": "patches",
    b"call": "calls",
}


def read(content: bytes, path: pathlib.Path) -> Surface:
    """Vertices and triangles of an `.obj` file.

    Read are relative indices (counted back from the line they stand on), `fo`, upper case, any white space, continued
    lines, comments anywhere, colours behind the coordinates. Texture coordinates, normals, lines and points are skipped.

    Raises:
        InputError: see `keras3dgan.voxels.readers`.
    """
    data = text.normalised(content)
    if b"\0" in data:
        raise InputError(f"{path}: is binary, so it is no .obj file; give it the suffix of its format.")
    data = _COMMENT.sub(b"", data).replace(b"\\\n", b" ")
    vertices: list[list[bytes]] = []
    corners: list[bytes] = []
    sizes: list[int] = []
    known: list[int] = []  # vertices before each face
    for line in data.split(b"\n"):
        words = line.split()
        if not words:
            continue
        key = words[0]
        if key in (b"v", b"V"):
            vertices.append(words)
        elif key in (b"f", b"fo", b"F", b"FO"):
            corners += words[1:]
            sizes.append(len(words) - 1)
            known.append(len(vertices))
        elif key.lower() in _UNSUPPORTED:
            raise InputError(f"{path}: holds {_UNSUPPORTED[key.lower()]}, which are not read; export it as polygons.")
        elif key[0] in b"0123456789-+.":
            raise InputError(f"{path}: the line '{_shown(line)}' has no keyword; export it again.")
    if sizes and sizes[-1] < 3 and not content.endswith((b"\n", b"\r")) and words and words[0].lower().startswith(b"f"):
        raise InputError(f"{path}: ends in the middle of its face {len(sizes)}; get the whole file.")
    indices = _indices(corners, np.array(sizes, np.int64), np.array(known, np.int64), len(vertices), path)
    return Surface(*triangulate(Polygons(_coordinates(vertices, path), indices, np.array(sizes, np.int64))))


def _coordinates(lines: list[list[bytes]], path: pathlib.Path) -> np.ndarray:
    short = next((line for line in lines if len(line) < 4), None)
    if short is not None:
        raise InputError(f"{path}: the line '{_shown(b' '.join(short))}' lacks a coordinate; get the whole file.")
    flat = text.numbers([word for line in lines for word in line[1:4]], str(path))
    weights = text.numbers([line[4] for line in lines if len(line) == 5], str(path))
    if (weights != 1).any() and (len(weights) < len(lines) or np.ptp(weights) > 0):
        # Some readers divide by the weight, most ignore it: that is two shapes.
        raise InputError(f"{path}: its vertices have different weights; export it with three coordinates a vertex.")
    return flat.reshape(-1, 3)


def _indices(corners: list[bytes], sizes: np.ndarray, known: np.ndarray, count: int, path: pathlib.Path) -> np.ndarray:
    if any(b"/" in corner for corner in corners[:64]) or b"/" in b"".join(corners):
        corners = [corner.split(b"/", 1)[0] for corner in corners]
    named = text.integers(corners, str(path))
    indices = np.where(named < 0, np.repeat(known, sizes) + named, named - 1)
    wrong = (indices < 0) | (indices >= count) | (named == 0)
    if wrong.any():
        face = int(np.searchsorted(np.cumsum(sizes), np.flatnonzero(wrong)[0], side="right")) + 1
        raise InputError(
            f"{path}: face {face} names vertex {named[wrong][0]}, but there are {count}, counted from 1; "
            "such vertices do not exist: get the whole file or export it again."
        )
    return indices


def _shown(line: bytes) -> str:
    return line.strip()[:40].decode("ascii", "replace")
