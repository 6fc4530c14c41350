"""Small glTF files, written by hand."""

import json
import struct

import numpy as np

from tests.voxels import chair

_KINDS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}
_TYPES = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


def y_up(points: np.ndarray) -> np.ndarray:
    """Points (n, 3), z up, as glTF wants them."""
    return points[:, [0, 2, 1]] * [1, 1, -1]


class Builder:
    """A glTF file in the making; `root` is its JSON."""

    def __init__(self):
        self.data = b""
        self.root: dict = {"asset": {"version": "2.0"}, "buffers": [{}], "bufferViews": [], "accessors": []}
        self.root |= {"meshes": [], "nodes": [], "scenes": [{"nodes": []}], "scene": 0}

    def view(self, content: bytes, **more) -> int:
        self.root["bufferViews"].append({"buffer": 0, "byteOffset": len(self.data), "byteLength": len(content), **more})
        self.data += content + b"\0" * (-len(content) % 4)
        return len(self.root["bufferViews"]) - 1

    def accessor(self, values: np.ndarray, kind: str = "f4", bounds: bool = True, **more) -> int:
        values = np.asarray(values).reshape(len(values), -1).astype("<" + kind)
        entry = {"componentType": _KINDS[kind], "count": len(values), "type": _TYPES[values.shape[1]]}
        if "sparse" not in more:
            entry["bufferView"] = self.view(values.tobytes())
        if bounds:
            entry |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        self.root["accessors"].append(entry | more)
        return len(self.root["accessors"]) - 1

    def mesh(self, points: np.ndarray, corners: np.ndarray | None, **more) -> int:
        """A mesh of one primitive; `points` are y up."""
        primitive = {"attributes": {"POSITION": self.accessor(points)}}
        if corners is not None:
            primitive["indices"] = self.accessor(np.asarray(corners).reshape(-1), "u4", bounds=False)
        self.root["meshes"].append({"primitives": [primitive | more]})
        return len(self.root["meshes"]) - 1

    def node(self, root: bool = True, **content) -> int:
        self.root["nodes"].append(content)
        index = len(self.root["nodes"]) - 1
        if root:
            self.root["scenes"][0]["nodes"].append(index)
        return index

    def glb(self) -> bytes:
        self.root["buffers"][0]["byteLength"] = len(self.data)
        text = json.dumps(self.root).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
        chunks += struct.pack("<II", len(self.data), 0x004E4942) + self.data
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def gltf(self, uri: str) -> bytes:
        self.root["buffers"][0] |= {"byteLength": len(self.data), "uri": uri}
        return json.dumps(self.root).encode()


def whole() -> Builder:
    """The chair as one mesh."""
    builder = Builder()
    builder.node(mesh=builder.mesh(y_up(chair.vertices()), chair.triangles()))
    return builder
