"""What a glTF file's buffers, buffer views and accessors hold, checked against what it declares."""

import base64
import binascii
import json
import pathlib
import struct
import urllib.parse
from typing import Any

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels.readers import MAX_FILE_BYTES

_COMPONENTS = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_GLB = struct.Struct("<4sII")
_CHUNK = struct.Struct("<II")
_JSON, _BIN = 0x4E4F534A, 0x004E4942
# What exporters' rounding of `min` and `max` may differ from the values, as a share of their range.
_BOUND_SLACK = 0.01
# Of all accessors together; as many float64 numbers fill the memory of one file.
_MAX_VALUES = MAX_FILE_BYTES // 8


def document(content: bytes, path: pathlib.Path) -> tuple[dict[str, Any], bytes | None]:
    """The JSON of a `.gltf` or `.glb` file and, if there is one, the binary chunk.

    Raises:
        InputError: the file is cut off, of another version, or no glTF.
    """
    binary = None
    if content[:4] == b"glTF":
        content, binary = _chunks(content, path)
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        root = json.loads(text.rstrip("\0 \t\r\n"))
        version = root["asset"]["version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path}: its JSON is damaged or cut off, or it is no glTF file; get the whole file."
        ) from error
    if not str(version).startswith("2"):
        raise InputError(f"{path}: is glTF {version}, and only glTF 2.0 is read; export it again.")
    return root, binary


def _chunks(content: bytes, path: pathlib.Path) -> tuple[bytes, bytes | None]:
    if len(content) < _GLB.size + _CHUNK.size:
        raise InputError(f"{path}: ends inside its header; get the whole file.")
    _, version, length = _GLB.unpack_from(content)
    if version != 2:
        raise InputError(f"{path}: is glTF {version}.0, and only glTF 2.0 is read; export it again.")
    if len(content) < length:
        raise InputError(f"{path}: ends after {len(content)} of {length} bytes; it was cut off: get the whole file.")
    parts: dict[int, bytes] = {}
    at = _GLB.size
    while at + _CHUNK.size <= length:
        size, kind = _CHUNK.unpack_from(content, at)
        at += _CHUNK.size
        if at + size > length:
            raise InputError(f"{path}: one of its chunks is cut off; get the whole file.")
        parts.setdefault(kind, content[at : at + size])
        at += size
    if _JSON not in parts:
        raise InputError(f"{path}: has no JSON chunk; export it again.")
    return parts[_JSON], parts.get(_BIN)


class Data:
    """The arrays of one glTF file.

    Args:
        root: its JSON.
        binary: the binary chunk of a `.glb`.
        path: the file, for its neighbours and for messages.
    """

    def __init__(self, root: dict[str, Any], binary: bytes | None, path: pathlib.Path):
        self.root = root
        self.path = path
        self._binary = binary
        self._buffers: dict[int, bytes] = {}
        self._accessors: dict[int, np.ndarray] = {}
        self._declared = 0  # values of all accessors read so far, counted before they are
        self.decoded: dict[Any, Any] = {}  # what a primitive had to unpack, by key

    def item(self, kind: str, index: Any) -> dict[str, Any]:
        """Element `index` of the file's array `kind` (`accessors`, `nodes` and so on)."""
        items = self.root.get(kind, [])
        if not isinstance(index, int) or not 0 <= index < len(items):
            raise InputError(f"{self.path}: names {kind} {index}, but holds {len(items)} of them; export it again.")
        return items[index]

    def view(self, index: int) -> tuple[bytes, int]:
        """The bytes of a buffer view, and its stride (0 where there is none)."""
        view = self.item("bufferViews", index)
        for name in view.get("extensions", {}):
            if name in self.root.get("extensionsRequired", []):  # else the buffer itself holds the data too
                raise InputError(f"{self.path}: is compressed with {name}, which is not read; export it without.")
        content = self._buffer(view["buffer"])
        start, length = view.get("byteOffset", 0), view["byteLength"]
        if start < 0 or length < 0 or start + length > len(content):
            raise InputError(
                f"{self.path}: a buffer view reaches beyond its buffer; it was cut off: get the whole file."
            )
        return content[start : start + length], view.get("byteStride", 0)

    def accessor(self, index: int) -> np.ndarray:
        """The values of an accessor, (count, components): normalised integers as float64, others as they are stored.

        Raises:
            InputError: it reaches beyond its buffer view, or its values are not those that its `min` and `max` declare.
        """
        if index not in self._accessors:
            self._accessors[index] = self._read(index)
        return self._accessors[index]

    def _read(self, index: int) -> np.ndarray:
        accessor = self.item("accessors", index)
        kind, width, count = accessor["componentType"], _WIDTHS.get(accessor["type"], 0), accessor["count"]
        if kind not in _COMPONENTS or not width or not isinstance(count, int) or count < 0:
            raise InputError(f"{self.path}: accessor {index} is of no type that glTF knows; export it again.")
        dtype = np.dtype(_COMPONENTS[kind])
        self._declared += count * width
        if self._declared > _MAX_VALUES:
            raise InputError(f"{self.path}: its accessors hold more than {_MAX_VALUES} numbers; simplify the mesh.")
        if "bufferView" in accessor:
            values = self._strided(accessor["bufferView"], accessor.get("byteOffset", 0), dtype, count, width)
        else:
            values = np.zeros((count, width), dtype)
        if "sparse" in accessor:
            values = self._sparse(values, accessor["sparse"], index)
        stored = values
        if accessor.get("normalized") and dtype.kind in "iu":
            values = np.maximum(values / np.iinfo(dtype).max, -1.0)
        self.check_bounds(accessor, stored, values)
        return values

    def _strided(self, view: int, start: int, dtype: np.dtype, count: int, width: int) -> np.ndarray:
        content, stride = self.view(view)
        stride = stride or dtype.itemsize * width
        if count and not 0 <= start + (count - 1) * stride + width * dtype.itemsize <= len(content):
            raise InputError(
                f"{self.path}: an accessor of {count} values reaches beyond its buffer view; it was cut off: get the whole file."
            )
        return np.ndarray((count, width), dtype, content, start, (stride, dtype.itemsize)).copy()

    def _sparse(self, values: np.ndarray, sparse: dict[str, Any], index: int) -> np.ndarray:
        count, places, new = sparse["count"], sparse["indices"], sparse["values"]
        kind = np.dtype(_COMPONENTS.get(places["componentType"], "u1"))
        at = self._strided(places["bufferView"], places.get("byteOffset", 0), kind, count, 1)[:, 0].astype(np.int64)
        if count and at.max() >= len(values):
            raise InputError(
                f"{self.path}: accessor {index} is sparse beyond its {len(values)} values; export it again."
            )
        values[at] = self._strided(new["bufferView"], new.get("byteOffset", 0), values.dtype, count, values.shape[1])
        return values

    def check_bounds(self, accessor: dict[str, Any], *readings: np.ndarray) -> None:
        """Checks values against an accessor's `min` and `max`, which exporters write before or after normalising.

        Args:
            accessor: the one that declares them.
            readings: the values, (count, components), in the forms that may have been meant.

        Raises:
            InputError: none of the readings reaches as far as declared, or one reaches further.
        """
        if not len(readings[0]) or "min" not in accessor or "max" not in accessor:
            return
        low, high = np.array(accessor["min"], float), np.array(accessor["max"], float)
        for found in readings:
            slack = _BOUND_SLACK * max(float(np.ptp(found, axis=0).max()), float((high - low).max())) + 1e-30
            if (np.abs(found.min(axis=0) - low) <= slack).all() and (np.abs(found.max(axis=0) - high) <= slack).all():
                return
        raise InputError(
            f"{self.path}: an accessor declares values from {low.tolist()} to {high.tolist()}, but holds others; "
            "export it again."
        )

    def _buffer(self, index: int) -> bytes:
        if index in self._buffers:
            return self._buffers[index]
        buffer = self.item("buffers", index)
        if "uri" in buffer:
            content = self._from_uri(str(buffer["uri"]))
        elif index == 0 and self._binary is not None:
            content = self._binary
        else:
            raise InputError(f"{self.path}: its buffer {index} is missing; export it again with its data.")
        if len(content) < buffer["byteLength"]:
            raise InputError(
                f"{self.path}: its data end after {len(content)} of {buffer['byteLength']} bytes; get the whole file."
            )
        self._buffers[index] = content
        return content

    def _from_uri(self, uri: str) -> bytes:
        if uri[:5].lower() == "data:":
            head, _, body = uri.partition(",")
            try:
                return (
                    base64.b64decode(urllib.parse.unquote(body).strip() + "==", validate=False)
                    if head.lower().endswith(";base64")
                    else urllib.parse.unquote_to_bytes(body)
                )
            except binascii.Error as error:
                raise InputError(f"{self.path}: its embedded data are damaged; export it again.") from error
        if "://" in uri:
            raise InputError(f"{self.path}: its data lie at '{uri[:80]}'; put them beside it, nothing is downloaded.")
        # The specification asks for percent-encoding, and many files do without.
        for name in (urllib.parse.unquote(uri), uri):
            below = pathlib.PurePosixPath(name.replace("\\", "/"))
            if below.is_absolute() or ".." in below.parts:
                raise InputError(f"{self.path}: its data lie at '{uri[:80]}', elsewhere; put them beside it.")
            neighbour = self.path.parent / below
            if neighbour.is_file():
                if neighbour.stat().st_size > MAX_FILE_BYTES:
                    raise InputError(f"{neighbour}: larger than {MAX_FILE_BYTES >> 20} MiB; simplify the mesh first.")
                return neighbour.read_bytes()
        raise InputError(f"{self.path}: its data file '{urllib.parse.unquote(uri)[:80]}' is missing; put it beside it.")
