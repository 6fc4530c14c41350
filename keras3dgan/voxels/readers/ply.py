"""Stanford's Polygon File Format, `.ply`: text and binary, faces of mixed size, triangle strips."""

import dataclasses
import pathlib
import re
import struct

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.polygons import Polygons, triangulate
from keras3dgan.voxels.readers import Surface, strips, text

_TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4", "double": "f8",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4", "float32": "f4",
    "float64": "f8",
}  # fmt: skip
_CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}
_MAX_HEADER = 1 << 16
_LISTS = ("vertex_indices", "vertex_index")


@dataclasses.dataclass(frozen=True)
class _Property:
    name: str
    kind: str  # NumPy's name of the type, without byte order
    count: str | None = None  # the type of a list's length


@dataclasses.dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: list[_Property]


@dataclasses.dataclass(frozen=True)
class _Lists:
    """A list property of every row: the values one after the other, and how many each row has."""

    values: np.ndarray
    sizes: np.ndarray


def read(content: bytes, path: pathlib.Path) -> Surface:
    """Vertices and triangles of a `.ply` file; all its properties but coordinates and vertex lists are skipped.

    Raises:
        InputError: see `keras3dgan.voxels.readers`.
    """
    order, elements, body = _header(content, path)
    names = [element.name for element in elements]
    if "vertex" not in names or not {"face", "tristrips"} & set(names):
        kind = "a range scan" if "range_grid" in names else "only points or lines"
        raise InputError(f"{path}: has no faces, it holds {kind}; export it as a mesh.")
    source = _Binary(body, order, path) if order else _Text(body, path)
    found: dict[str, dict[str, np.ndarray | _Lists]] = {}
    for element in elements:
        found[element.name] = source.rows(element) if element.properties else {}
        if {"vertex", "face", "tristrips"} & set(names) <= set(found):
            break  # what follows carries no surface
    vertices = _vertices(found["vertex"], path)
    parts = [np.zeros((0, 3), np.int64)]
    for name in ("face", "tristrips"):
        if name in found:
            corners = _corners(found[name], name, len(vertices), path)
            parts.append(
                strips.restarted(corners.values)
                if name == "tristrips"
                else triangulate(Polygons(vertices, corners.values, corners.sizes))[1]
            )
    return Surface(vertices, np.concatenate(parts))


def _header(content: bytes, path: pathlib.Path) -> tuple[str, list[_Element], bytes]:
    """Byte order (empty for text), elements, and what follows the header."""
    end = re.search(rb"(\r\n|\n|\r)[ \t]*end_header[ \t]*(\r\n|\n|\r|$)", content[:_MAX_HEADER])
    start = content[:80].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:3].lower() != b"ply" or end is None:
        raise InputError(f"{path}: is no .ply file, or its header is cut off; get the whole file.")
    # Files that end their lines with CR alone may have a LF as first byte of their data.
    stop = end.start(2) + 1 if end[1] == b"\r" else end.end()
    lines = [line.split() for line in re.split(r"[\r\n]+", content[: end.start()].decode("latin-1"))]
    order, elements = None, []
    try:
        for words in lines:
            if words[:1] == ["format"]:
                order = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}[words[1]]
            elif words[:1] == ["element"]:
                elements.append(_Element(words[1], int(words[2]), []))
            elif words[:2] == ["property", "list"]:
                elements[-1].properties.append(_Property(words[4], _TYPES[words[3]], _TYPES[words[2]]))
            elif words[:1] == ["property"]:
                elements[-1].properties.append(_Property(words[2], _TYPES[words[1]]))
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(
            f"{path}: the line '{' '.join(words)[:40]}' of its header is damaged; get it again."
        ) from error
    if order is None or any(element.count < 0 for element in elements):
        raise InputError(f"{path}: its header names no format or a negative count; export it again.")
    return order, elements, content[stop:]


def _vertices(rows: dict[str, np.ndarray | _Lists], path: pathlib.Path) -> np.ndarray:
    columns = [rows.get(axis) for axis in "xyz"]
    if any(not isinstance(column, np.ndarray) for column in columns):
        raise InputError(f"{path}: its vertices lack x, y or z; export it again.")
    return np.stack(columns, axis=1).astype(np.float64)  # type: ignore[arg-type]


def _corners(rows: dict[str, np.ndarray | _Lists], name: str, count: int, path: pathlib.Path) -> _Lists:
    corners = next((rows[key] for key in _LISTS if key in rows), None)
    if not isinstance(corners, _Lists):
        raise InputError(f"{path}: its element '{name}' lists no vertices (vertex_indices); export it again.")
    values = text.whole(corners.values, str(path))
    lowest = -1 if name == "tristrips" else 0
    if len(values) and not lowest <= values.min() <= values.max() < count:
        raise InputError(f"{path}: its faces name vertices that do not exist ({count} do); export it again.")
    if name == "tristrips":  # a row ends its strip too
        values = np.insert(values, np.cumsum(corners.sizes)[:-1], -1)
    return _Lists(values, corners.sizes)


def _cut(element: _Element, found: int, path: pathlib.Path) -> InputError:
    what = {"vertex": "vertices", "face": "faces"}.get(element.name, f"rows of '{element.name}'")
    return InputError(f"{path}: ends after {found} of {element.count} {what}; it was cut off: get the whole file.")


class _Text:
    """Rows out of the words of a text file."""

    def __init__(self, body: bytes, path: pathlib.Path):
        self._words = text.normalised(body).split()
        self._path = path
        self._next = 0

    def rows(self, element: _Element) -> dict[str, np.ndarray | _Lists]:
        if all(prop.count is None for prop in element.properties):
            width = len(element.properties)
            words = self._words[self._next : self._next + width * element.count]
            if len(words) < width * element.count:
                raise _cut(element, len(words) // max(width, 1), self._path)
            self._next += len(words)
            table = text.numbers(words, str(self._path)).reshape(element.count, width)
            return {prop.name: table[:, column] for column, prop in enumerate(element.properties)}
        return self._with_lists(element)

    def _with_lists(self, element: _Element) -> dict[str, np.ndarray | _Lists]:
        words, at = self._words, self._next
        taken: list[list[bytes]] = [[] for _ in element.properties]
        sizes: list[list[int]] = [[] for _ in element.properties]
        for row in range(element.count):
            for prop, values, lengths in zip(element.properties, taken, sizes, strict=True):
                size = 1
                if prop.count is not None:
                    if at >= len(words):
                        raise _cut(element, row, self._path)
                    size = int(text.integers(words[at : at + 1], str(self._path))[0])
                    at += 1
                if size < 0 or at + size > len(words):
                    raise _cut(element, row, self._path)
                values += words[at : at + size]
                lengths.append(size)
                at += size
        self._next = at
        return {
            prop.name: text.numbers(values, str(self._path))
            if prop.count is None
            else _Lists(text.numbers(values, str(self._path)), np.array(lengths, np.int64))
            for prop, values, lengths in zip(element.properties, taken, sizes, strict=True)
        }


class _Binary:
    """Rows out of the bytes of a binary file."""

    def __init__(self, body: bytes, order: str, path: pathlib.Path):
        self._body = body
        self._order = order
        self._path = path
        self._next = 0

    def rows(self, element: _Element) -> dict[str, np.ndarray | _Lists]:
        lengths = self._first_lengths(element)
        if lengths is not None:
            # Faces of one size, the usual case, are a plain table; `_table` says no where a size differs.
            table = self._table(element, lengths)
            if table is not None:
                return table
        return self._rows_of_any_size(element)

    def _table(self, element: _Element, lengths: tuple[int, ...]) -> dict[str, np.ndarray | _Lists] | None:
        fields: list[tuple] = []
        sizes = iter(lengths)
        for column, prop in enumerate(element.properties):
            if prop.count is None:
                fields.append((f"v{column}", self._order + prop.kind))
            else:
                fields.append((f"n{column}", self._order + prop.count))
                fields.append((f"v{column}", self._order + prop.kind, (next(sizes),)))
        row = np.dtype(fields)
        if element.count * row.itemsize > len(self._body) - self._next:
            return None
        table = np.frombuffer(self._body, row, element.count, self._next)
        found: dict[str, np.ndarray | _Lists] = {}
        for column, prop in enumerate(element.properties):
            values = table[f"v{column}"]
            if prop.count is None:
                found[prop.name] = values
            else:
                size = values.shape[1]
                if (table[f"n{column}"] != size).any():
                    return None
                found[prop.name] = _Lists(values.reshape(-1), np.full(element.count, size, np.int64))
        self._next += element.count * row.itemsize
        return found

    def _first_lengths(self, element: _Element) -> tuple[int, ...] | None:
        """The lengths of the first row's lists, or None where the file ends before."""
        at, lengths = self._next, []
        for prop in element.properties:
            size = 1
            if prop.count is not None:
                size = self._length(prop, at)
                if size < 0:
                    return None
                at += int(prop.count[1])
                lengths.append(size)
            at += size * int(prop.kind[1])
        return tuple(lengths) if at <= len(self._body) else None

    def _length(self, prop: _Property, at: int) -> int:
        assert prop.count is not None
        if at + int(prop.count[1]) > len(self._body):
            return -1
        return int(struct.unpack_from(self._order + _CODES[prop.count], self._body, at)[0])

    def _rows_of_any_size(self, element: _Element) -> dict[str, np.ndarray | _Lists]:
        at = self._next
        # Whatever the header counts, no more rows than fit into the file are made room for.
        least = sum(int((prop.count or prop.kind)[1]) for prop in element.properties)
        room = min(element.count, (len(self._body) - at) // max(least, 1) + 1)
        starts = [np.zeros(room, np.int64) for _ in element.properties]
        sizes = [np.ones(room, np.int64) for _ in element.properties]
        for row in range(element.count):
            for prop, start, size in zip(element.properties, starts, sizes, strict=True):
                count = 1
                if prop.count is not None:
                    count = self._length(prop, at)
                    at += int(prop.count[1])
                start[row], size[row] = at, count
                at += max(count, 0) * int(prop.kind[1])
                if count < 0 or at > len(self._body):
                    raise _cut(element, row, self._path)
        self._next = at
        found: dict[str, np.ndarray | _Lists] = {}
        for prop, start, size in zip(element.properties, starts, sizes, strict=True):
            values = self._gather(start, size, prop.kind)
            found[prop.name] = values if prop.count is None else _Lists(values, size)
        return found

    def _gather(self, starts: np.ndarray, sizes: np.ndarray, kind: str) -> np.ndarray:
        width = int(kind[1])
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        places = (np.repeat(starts, sizes) + within * width)[:, None] + np.arange(width)
        return np.frombuffer(self._body, np.uint8)[places].reshape(-1).view(self._order + kind)
