"""Stereolithography, `.stl`, binary and text."""

import pathlib
import re

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import Surface, text

_HEADER = 84
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
# `facet normal x y z  outer loop  vertex x y z (three times)  endloop  endfacet`
_WORDS = 21


def read(content: bytes, path: pathlib.Path) -> Surface:
    """Vertices and triangles of an `.stl` file, three vertices of its own a triangle.

    Raises:
        InputError: see `keras3dgan.voxels.readers`.
    """
    declared = int.from_bytes(content[80:_HEADER], "little")
    exact = len(content) == _HEADER + declared * _FACET.itemsize and declared > 0
    if not exact:
        data = text.normalised(content)
        if data[:100].lstrip()[:5].lower() == b"solid" and b"\0" not in data:
            return _soup(_read_text(data, path))
    return _soup(_read_binary(content, declared, path))


def _soup(corners: np.ndarray) -> Surface:
    return Surface(corners.reshape(-1, 3), np.arange(len(corners) * 3).reshape(-1, 3))


def _read_binary(content: bytes, declared: int, path: pathlib.Path) -> np.ndarray:
    held = max(0, len(content) - _HEADER) // _FACET.itemsize
    if len(content) < _HEADER:
        raise InputError(f"{path}: is too short to be an .stl file; get the whole file.")
    if held < declared:
        raise InputError(
            f"{path}: ends after {held} of the {declared} faces that its header counts; it was cut off: get the whole file."
        )
    corners = np.frombuffer(content, _FACET, held, _HEADER)["corners"].astype(np.float64)
    if _are_facets(corners[declared:], corners[:declared]):
        raise InputError(
            f"{path}: its header counts {declared} faces, but it holds {held}; the count is wrong: export it again."
        )
    if declared == 0:
        raise InputError(f"{path}: has no faces; export it as a mesh, not as points or lines.")
    return corners[:declared]


def _are_facets(behind: np.ndarray, counted: np.ndarray) -> bool:
    """Whether the bytes behind the counted facets are facets too, and not padding or a program's own notes."""
    if not len(behind) or not np.isfinite(behind[0]).all():
        return False
    low, high = (
        (counted if len(counted) else behind).min(axis=(0, 1)),
        (counted if len(counted) else behind).max(axis=(0, 1)),
    )
    room = high - low
    a, b, c = behind[0]
    within = ((behind[0] >= low - room) & (behind[0] <= high + room)).all()
    return bool(within and np.abs(np.cross(b - a, c - a)).max() > 0)


def _read_text(data: bytes, path: pathlib.Path) -> np.ndarray:
    body = re.sub(rb"(?im)^[ \t]*(end[ \t]*)?solid[^\n]*$", b"", data)
    words = body.lower().split()
    if not words:
        raise InputError(f"{path}: has no faces; export it as a mesh, not as points or lines.")
    facets = len(words) // _WORDS
    table = np.array(words[: facets * _WORDS], dtype=object).reshape(facets, _WORDS)
    keywords = {0: b"facet", 1: b"normal", 5: b"outer", 6: b"loop", 7: b"vertex", 11: b"vertex", 15: b"vertex"}
    right = np.ones(facets, bool)
    for column, keyword in {**keywords, 19: b"endloop", 20: b"endfacet"}.items():
        right &= table[:, column] == keyword
    if not right.all():
        first = int(np.flatnonzero(~right)[0]) + 1
        raise InputError(f"{path}: its facet {first} is not written as three vertices in a loop; export it again.")
    if len(words) % _WORDS:
        raise InputError(f"{path}: ends in the middle of its facet {facets + 1}; it was cut off: get the whole file.")
    columns = [8, 9, 10, 12, 13, 14, 16, 17, 18]
    return text.numbers(table[:, columns].ravel().tolist(), str(path)).reshape(-1, 3, 3)
