"""Files of meshes and grids: real small ones of every format, with other counts, sizes and types."""

import io
import json
import pathlib
import struct
import time
import traceback
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import scipy.io
import scipy.sparse
import trimesh

from fuzzing import mutations
from fuzzing.watch import Watch
from keras3dgan import bounded
from keras3dgan.errors import InputError
from keras3dgan.voxels import binvox, voxelize
from keras3dgan.voxels import io as shapes
from tests.conftest import corner_shape
from tests.voxels import chair
from tests.voxels.readers import gltf_test

_RESOLUTION = 16
_GLTF = ("_plain", "_unindexed", "_strided", "_placed", "_morphed", "_skinned", "_instanced", "_scenes", "_hidden")


class Shapes:
    """Files of one suffix, read as every command does; many a call of the child process, so that calling takes no time.

    Attributes:
        batch: how many.
        slowest_seconds: of the last batch.
        outside: what child processes wrote outside of the folder.
    """

    batch = 50

    def __init__(self, kind: str, folder: pathlib.Path):
        self._kind, self._folder = kind, folder
        self.outside: list[str] = []
        self.slowest_seconds = 0.0
        make = {"glb": _gltf_seeds, "gltf": _gltf_seeds, "mat": _mat_seeds, "npy": _npy_seeds, "npz": _npy_seeds}
        self._seeds = make.get(kind, lambda: _seeds(kind))()
        change = {"glb": _glb, "gltf": _gltf_parts, "mat": _mat, "npy": _npy, "npz": _npz, "stl": _stl, "ply": _ply}
        self._change = change.get(kind, _binvox if kind == "binvox" else _text)
        for number in range(self.batch):
            (folder / str(number)).mkdir()
        (folder / "warm.obj").write_text(_mesh().export(file_type="obj"))
        shapes.read(folder / "warm.obj", _RESOLUTION)  # starting the child is not the input's time

    def attack(self, rng: np.random.Generator) -> str:
        return self._alone(self._written(0, rng))

    def attack_many(self, rngs: list[np.random.Generator]) -> list[str]:
        """Of several inputs; each alone where one of them takes or breaks too much, and the first one always."""
        inputs = [self._written(number, rng) for number, rng in enumerate(rngs)]
        outcomes = [self._alone(inputs[0])]
        given = {"inputs": inputs[1:], "folder": str(self._folder)}
        try:
            told, _ = bounded.call(
                f"{__name__}:read_many", given, "inputs", bounded.Limits(), f"{voxelize.__name__}:prepare"
            )
        except InputError:
            return outcomes + [self._alone(each) for each in inputs[1:]]
        self.slowest_seconds = max(self.slowest_seconds, told["slowest_seconds"])
        self.outside += told["outside"]
        return outcomes + told["outcomes"]

    def _written(self, number: int, rng: np.random.Generator) -> dict:
        """Writes an input to a folder of its own; what `shapes.read` is to be called with."""
        path = self._folder / str(number) / f"a.{self._kind}"
        content = self._change(mutations.some(rng, self._seeds), mutations.some(rng, self._seeds), rng)
        if self._kind == "gltf":
            content, data = content
            path.with_name("a.bin").write_bytes(data)
            content = content.replace(b'"byteLength"', b'"uri": "a.bin", "byteLength"', 1)
        path.write_bytes(content)
        return {"path": str(path), "resolution": _RESOLUTION, "up": mutations.some(rng, ["auto", "y", "z"])}

    def _alone(self, given: dict) -> str:
        begin = time.perf_counter()
        try:
            return _outcome(lambda: shapes.read(**given).grid)
        finally:
            self.slowest_seconds = max(self.slowest_seconds, time.perf_counter() - begin)


def _outcome(read: Callable[[], np.ndarray]) -> str:
    """What becomes of an input; what must not be is a `fault`."""
    try:
        grid = read()
        assert grid.shape == (_RESOLUTION,) * 3 and grid.dtype == np.uint8 and set(np.unique(grid)) <= {0, 1}
    except InputError as error:
        text = str(error)[:1200]  # as far as the child process passes it on
        if type(error.__cause__) is RuntimeError:  # how `bounded` tells what nobody foresaw
            return f"fault\n{error.__cause__}"
        if not text.isprintable():
            return f"fault\nno sentence: {text!r}"
        kinds = {
            "crashed what reads it": "crashed",
            "s to read; simplify": "limit",
            "memory to read; simplify": "limit",
        }
        return next((f"error: {kind}" for words, kind in kinds.items() if words in text), "error")
    except MemoryError:
        raise
    except Exception:
        return f"fault\n{traceback.format_exc()}"
    return "accepted"


_watches: list[Watch] = []


def read_many(inputs: list[dict], folder: str) -> tuple[dict, bytes]:
    """In the child process: the outcome of each input, the slowest one's time, and what was written outside of a folder."""
    if not _watches:
        _watches.append(Watch(folder))
    outcomes, slowest = [], 0.0
    for given in inputs:
        begin = time.perf_counter()
        outcomes.append(_outcome(lambda given=given: shapes.read(**given, limits=None).grid))
        slowest = max(slowest, time.perf_counter() - begin)
    outside, _watches[0].outside = _watches[0].outside, []
    return {"outcomes": outcomes, "slowest_seconds": slowest, "outside": outside}, b""


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
