"""Files of meshes and grids: real small ones of every format, with other counts, sizes and types."""

import io
import json
import pathlib
import struct
import zipfile
import zlib

import numpy as np
import scipy.io
import scipy.sparse
import trimesh

from fuzzing import mutations
from keras3dgan.errors import InputError
from keras3dgan.voxels import binvox
from keras3dgan.voxels import io as shapes
from tests.conftest import corner_shape
from tests.voxels import chair
from tests.voxels.readers import gltf_test

_RESOLUTION = 16
_GLTF = ("_plain", "_unindexed", "_strided", "_placed", "_morphed", "_skinned", "_instanced", "_scenes", "_hidden")


class Shapes:
    """Files of one suffix, read as every command does."""

    def __init__(self, kind: str, folder: pathlib.Path):
        self._path = folder / f"a.{kind}"
        make = {"glb": _gltf_seeds, "gltf": _gltf_seeds, "mat": _mat_seeds, "npy": _npy_seeds, "npz": _npy_seeds}
        self._seeds = make.get(kind, lambda: _seeds(kind))()
        change = {"glb": _glb, "gltf": _gltf, "mat": _mat, "npy": _npy, "npz": _npz, "stl": _stl, "ply": _ply}
        self._change = change.get(kind, _binvox if kind == "binvox" else _text)
        (folder / "warm.obj").write_text(_mesh().export(file_type="obj"))
        shapes.read(folder / "warm.obj", _RESOLUTION)  # starting the child is not the input's time

    def attack(self, rng: np.random.Generator) -> str:
        seed, other = mutations.some(rng, self._seeds), mutations.some(rng, self._seeds)
        content = self._change(seed, other, rng)
        self._path.write_bytes(content)
        try:
            shape = shapes.read(self._path, _RESOLUTION, up=mutations.some(rng, ["auto", "y", "z"]))
        except InputError as error:
            if isinstance(error.__cause__, RuntimeError):  # nobody foresaw it
                raise AssertionError(str(error.__cause__)[-1500:]) from error
            assert "\n" not in str(error) and str(error).isprintable() and len(str(error)) < 1200, str(error)[:1500]
            return "error: crashed" if "crashed what reads it" in str(error) else "error"
        assert shape.grid.shape == (_RESOLUTION,) * 3 and shape.grid.dtype == np.uint8
        assert set(np.unique(shape.grid)) <= {0, 1}
        return "accepted"


def _mesh() -> trimesh.Trimesh:
    return trimesh.Trimesh(chair.vertices(), chair.triangles(), process=False)


def _seeds(kind: str) -> list:
    if kind == "binvox":
        return [_binvox_seed(size) for size in (8, 16, 20)]
    found = [_mesh().export(file_type=kind)]
    if kind == "ply":
        found = [_mesh().export(file_type="ply", encoding=encoding) for encoding in ("ascii", "binary")]
    if kind == "stl":
        found.append(_mesh().export(file_type="stl_ascii"))
    if kind in ("obj", "off", "ply"):
        found += [path.read_bytes() for path in _cases(kind)]
    return [content.encode() if isinstance(content, str) else content for content in found]


def _cases(kind: str) -> list[pathlib.Path]:
    """Written by hand here, for what exporters do not write."""
    folder = pathlib.Path(__file__).parent / "seeds"
    return sorted(folder.glob(f"*.{kind}"))


def _binvox_seed(size: int) -> bytes:
    path = pathlib.Path("seed.binvox")
    binvox.write_binvox(path, binvox.Binvox(np.pad(corner_shape(), (0, size - 8)), (1.0, 2.0, 3.0), 4.0))
    return path.read_bytes()


def _text(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    kind = rng.integers(4)
    if kind == 0:
        return mutations.lines(content, rng)
    return mutations.blind(content, other, rng) if kind == 1 else mutations.words(content, rng)


def _binvox(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    if rng.random() < 0.5:
        return mutations.words(content, rng, content.index(b"data") + 4)
    return mutations.blind(content, other, rng)


def _stl(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    if content.startswith(b"solid"):
        return _text(content, other, rng)
    return mutations.fields(content, rng, 80) if rng.random() < 0.5 else mutations.blind(content, other, rng)


def _ply(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    end = content.index(b"end_header") + 11
    if rng.random() < 0.4:
        names = [
            b"char",
            b"uchar",
            b"short",
            b"ushort",
            b"int",
            b"uint",
            b"float",
            b"double",
            b"list",
            b"face",
            b"vertex",
        ]
        head = content[:end]
        return head.replace(mutations.some(rng, names), mutations.some(rng, names), 1) + content[end:]
    if rng.random() < 0.5:
        return mutations.words(content, rng, end)
    if b"ascii" in content[:40]:
        return _text(content, other, rng)
    return content[:end] + mutations.fields(content[end:], rng, step=int(mutations.some(rng, [1, 4])))


def _gltf_seeds() -> list:
    builders = [getattr(gltf_test, name)() for name in _GLTF]
    builders += [gltf_test._quantised(True), gltf_test._sparse(False), gltf_test._sparse(True), gltf_test._draco(False)]
    for builder in builders:
        builder.root["buffers"][0]["byteLength"] = len(builder.data)
    return [(builder.root, builder.data) for builder in builders]


def _gltf_parts(seed, other, rng: np.random.Generator) -> tuple[bytes, bytes]:
    root, data = seed
    if rng.random() < 0.3:
        data = mutations.fields(data, rng) if rng.random() < 0.6 else mutations.blind(data, other[1], rng)
        if rng.random() < 0.7:
            return json.dumps(root).encode(), data
    return mutations.document(root, rng), data


def _gltf(seed, other, rng: np.random.Generator) -> bytes:
    text, data = _gltf_parts(seed, other, rng)
    pathlib.Path("a.bin").write_bytes(data)
    return text.replace(b'"byteLength"', b'"uri": "a.bin", "byteLength"', 1) if b'"buffers"' in text else text


def _glb(seed, other, rng: np.random.Generator) -> bytes:
    text, data = _gltf_parts(seed, other, rng)
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(data), 0x004E4942) + data
    content = struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
    return mutations.fields(content, rng, most=20) if rng.random() < 0.1 else content


def _mat_seeds() -> list[bytes]:
    grid = corner_shape()
    values = [
        {"instance": grid}, {"instance": grid.astype(float)}, {"instance": grid.astype(bool), "other": [1.5, 2]},
        {"instance": {"a": grid, "b": "text"}}, {"instance": np.array([[grid, "x"]], dtype=object)},
        {"first": np.array([[{"a": 1}, "x"]], dtype=object), "instance": grid.astype(np.int16)}, {"instance": "words"},
        {"instance": scipy.sparse.csc_array(np.eye(8))}, {"instance": grid * (1 + 2j)},
    ]  # fmt: skip
    found = []
    for content in values:
        for packed in (False, True):
            file = io.BytesIO()
            scipy.io.savemat(file, content, do_compression=packed)
            found.append(file.getvalue())
    file = io.BytesIO()
    scipy.io.savemat(file, {"instance": grid.reshape(8, 64).astype(float)}, format="4")
    return [*found, file.getvalue()]


def _mat(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Types and sizes of elements, which stand at every four bytes; those packed are unpacked first, and packed again."""
    if rng.random() < 0.15:
        return mutations.blind(content, other, rng)
    kind, size = struct.unpack_from("<II", content, 128) if len(content) > 136 else (0, 0)
    if kind != 15:
        return mutations.fields(content, rng, 124 if content.startswith(b"MATLAB") else 0, most=400)
    inside = mutations.fields(zlib.decompress(content[136 : 136 + size]), rng, most=300)
    if rng.random() < 0.1:  # cells in cells
        head = inside[8:56].replace(struct.pack("<I", 6 | 0 << 8), struct.pack("<I", 1))
        for _ in range(int(rng.integers(1, 3000))):
            inside = struct.pack("<II", 14, len(head) + len(inside)) + head + inside
            head = head[:48]
            if len(inside) > 200_000:
                break
    packed = zlib.compress(inside)
    return content[:128] + struct.pack("<II", 15, len(packed)) + packed + content[136 + size :]


def _npy_seeds() -> list[bytes]:
    grid, found = corner_shape(), []
    for array in (grid, grid.astype(">f4"), grid.astype(bool), np.asfortranarray(grid.astype(np.int64)), grid * -1.0):
        file = io.BytesIO()
        np.save(file, array)
        found.append(file.getvalue())
    return found


def _npy(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    if rng.random() < 0.7:
        end = 10 + int.from_bytes(content[8:10], "little")
        head = mutations.words(content[10:end], rng)
        return content[:8] + struct.pack("<H", len(head) & 65535) + head + content[end:]
    return mutations.blind(content, other, rng)


def _npz(content: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", mutations.some(rng, [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name in mutations.some(
            rng, [["grid.npy"], ["a.npy"], ["a.npy", "grid.npy"], ["../x.npy"], ["grid"], ["x", "x"]]
        ):
            archive.writestr(name, _npy(content, other, rng) if rng.random() < 0.8 else content)
    packed = file.getvalue()
    if rng.random() < 0.3:
        return mutations.blind(packed, packed, rng)
    end = packed.rindex(b"PK\1\2") if rng.random() < 0.5 else 0
    return packed[:end] + mutations.fields(packed[end:], rng, step=2) if rng.random() < 0.4 else packed
