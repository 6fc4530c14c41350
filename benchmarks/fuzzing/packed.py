"""What this package packed itself: streams, archives and octree models, damaged, and with their checksums made right again."""

import binascii
import contextlib
import io
import os
import pathlib
import shutil
import struct
import zipfile
import zlib

import numpy as np

from fuzzing import mutations
from keras3dgan import codec
from keras3dgan.codec import archive, container, varints
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.codec.origin import Origin
from keras3dgan.commands import conversion
from keras3dgan.datasets.furniture_voxels import bundled
from keras3dgan.errors import InputError
from keras3dgan.voxels.placement import Placement
from tests.codec.octree_model import random_model
from tests.conftest import boxes

_SHAPES = 24
_HEADER = archive._HEADER
_VERSION = len(archive.MAGIC)
_STREAM_HEADER, _STREAM_CHECK = container._HEADER, container._CRC


def _origins(count: int) -> list[Origin]:
    """How shapes may have lain in their files, in turn."""
    placement = Placement((1.5, -20.0, 0.25), 3.0)
    kinds = [Origin(), Origin(up="y"), Origin(placement=placement), Origin(up="y", placement=placement)]
    return [kinds[row % len(kinds)] for row in range(count)]


def _sentence(error: InputError) -> str:
    """Of several files, one line each."""
    for line in str(error).splitlines():
        assert line.isprintable() and len(line) < 1200, line[:1500]
    return "error"


class Streams:
    """`.g3c` streams of the bundled shapes, for the model that comes with the package; two in three with right checksums."""

    batch = 1

    def __init__(self, kind: str, folder: pathlib.Path):
        self._codec = codec.load()
        grids = bundled.read("test", self._codec.resolution).grids(slice(0, _SHAPES))
        self._streams = self._codec.streams(self._codec.choose(grids, origins=_origins(_SHAPES)))

    def attack(self, rng: np.random.Generator) -> str:
        one, two = mutations.some(rng, self._streams), mutations.some(rng, self._streams)
        content = mutations.blind(one, two, rng) if rng.random() < 0.3 else self._consistent(one, two, rng)
        try:
            restored = self._codec.decode(content)
            container.origin(content)
        except InputError as error:
            assert "\n" not in str(error)
            return _sentence(error)
        assert restored.shape == (self._codec.resolution,) * 3 and 0 <= restored.min() <= restored.max() <= 1
        return "accepted"

    @staticmethod
    def _consistent(one: bytes, two: bytes, rng: np.random.Generator) -> bytes:
        """Placement and payload damaged; now and then the mark, which says whether there is a placement."""
        rests = [each[_STREAM_HEADER : -_STREAM_CHECK.size] for each in (one, two)]
        content = bytearray(one[:_STREAM_HEADER] + mutations.blind(*rests, rng))
        if rng.random() < 0.3:
            content[1] = int(rng.integers(256))
        return bytes(content) + _STREAM_CHECK.pack(binascii.crc_hqx(content, 0))


class Archives:
    """`.g3a` archives, restored into a folder as `decompress` does; two in three with all their checksums right."""

    batch = 1
    _NAMES = (
        "", ".", "..", "/", "//", "../up", "/tmp/keras3dgan-fuzz", "a/../../b", "\0", "\x1b[2J", "\u202egnp", "x" * 300,
        "d/" * 600, "link/x", "a", "a.npy", "a/b", "a.npy/b", "é" * 200, "\r", "C:\\x", "~", "-", "con",
    )  # fmt: skip

    def __init__(self, kind: str, folder: pathlib.Path):
        shapes = boxes(20)
        self._codec = OctreeCodec(random_model(shapes))
        self._path = folder / "a.g3a"
        points = self._codec.choose(shapes.grids(), archived=True, origins=_origins(len(shapes.labels)))
        self._origins = [point.origin for point in points]
        with archive.create(self._path, self._codec) as writer:
            for row, point in enumerate(points):
                writer.add(f"shape-{row}", point)
        self._whole = self._path.read_bytes()
        found = archive.Archive(self._path)
        self._blocks = [self._whole[a:b] for a, b in zip(found._offsets, found._offsets[1:], strict=False)]
        (folder / "elsewhere").mkdir()

    def attack(self, rng: np.random.Generator) -> str:
        whole = self._whole
        self._path.write_bytes(mutations.blind(whole, whole, rng) if rng.random() < 0.3 else self._consistent(rng))
        shutil.rmtree("out", ignore_errors=True)
        pathlib.Path("out").mkdir()
        if rng.random() < 0.3:
            os.symlink("../elsewhere", "out/link")
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                suffix = mutations.some(rng, ["npy"] * 8 + ["binvox", "ply"])
                conversion.decompress(lambda _: self._codec, [str(self._path)], "out", suffix, True)
        except InputError as error:
            return _sentence(error)
        finally:
            assert not os.listdir("elsewhere")
        return "accepted"

    def _consistent(self, rng: np.random.Generator) -> bytes:
        blocks = [mutations.blind(b, b, rng) if rng.random() < 0.2 else b for b in self._blocks]
        changed = rng.random() * 0.4
        names = [mutations.some(rng, self._NAMES) if rng.random() < changed else f"shape-{k}" for k in range(20)]
        text = "\n".join(names).encode()
        sizes, count = [len(block) for block in blocks], len(names)
        checks = [zlib.crc32(block) for block in blocks]
        kind = rng.integers(10)
        if kind == 0:
            count = mutations.whole(rng, 0, 2**32 - 1)
        elif kind == 1:
            sizes[int(rng.integers(len(sizes)))] = mutations.whole(rng, 0, 2**70)
        elif kind == 2:
            text = mutations.blind(text, text, rng)
        elif kind == 3:
            text = text + b"\n" * int(rng.integers(1, 1 << 20))
        version, lay = self._lay(rng)
        packed = zlib.compress(varints.write(sizes) + lay + text)
        if kind == 4:
            packed = mutations.blind(packed, packed, rng)
        index = np.array(checks, "<u4").tobytes() + packed
        offset = _HEADER + sum(map(len, blocks))
        if kind == 5:
            offset = int(rng.integers(0, 2 * offset))
        head = self._whole[:_VERSION] + version + self._whole[_VERSION + 1 : _HEADER]
        return head + b"".join(blocks) + index + struct.pack("<QII", offset, count, zlib.crc32(index, count))

    def _lay(self, rng: np.random.Generator) -> tuple[bytes, bytes]:
        """The version, and what the index says of how shapes lay: nothing in the first; now and then damaged."""
        if rng.random() < 0.3:
            return b"\3", b""
        lay = bytes(origin.mark for origin in self._origins) + b"".join(origin.place for origin in self._origins)
        lay = mutations.blind(lay, lay, rng) if rng.random() < 0.3 else lay
        return mutations.some(rng, [b"\4"] * 30 + [b"\3", b"\5"]), lay


class Models:
    """Octree models as `.npz`: arrays of other shapes, types and values, headers that lie, and zip files that do."""

    batch = 1

    def __init__(self, kind: str, folder: pathlib.Path):
        self._grids = boxes(4, seed=8).grids()
        self._arrays = random_model(boxes(20))._arrays()
        self._whole = self._file(self._arrays)

    def attack(self, rng: np.random.Generator) -> str:
        kind = rng.integers(4)
        if kind == 0:
            content = mutations.blind(self._whole, self._whole, rng)
        elif kind == 1:  # the zip's own sizes and offsets
            at = self._whole.index(b"PK\1\2")
            content = self._whole[:at] + mutations.fields(
                self._whole[at:], rng, step=int(mutations.some(rng, [1, 2, 4]))
            )
        elif kind == 2:  # arrays' headers, under right checksums
            content = self._with_headers(rng)
        else:
            arrays = dict(self._arrays)
            for name in rng.choice([*arrays], rng.integers(1, 4), replace=False):
                arrays[name] = self._changed(arrays[name], rng)
            content = self._file(arrays)
        try:
            model = OctreeModel.from_bytes(content, "x.npz")
        except InputError as error:
            assert "\n" not in str(error)
            return _sentence(error)
        grid = self._grids[int(rng.integers(4))][None]
        if model.resolution == grid.shape[1]:
            np.testing.assert_array_equal(model.decode(model.encode(grid)), grid)
        assert model.decode(rng.bytes(30)).shape == (1, *(model.resolution,) * 3)
        return "accepted"

    def _file(self, arrays: dict) -> bytes:
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        return file.getvalue()

    def _with_headers(self, rng: np.random.Generator) -> bytes:
        file = io.BytesIO()
        chosen = mutations.some(rng, [*self._arrays])
        with zipfile.ZipFile(file, "w", mutations.some(rng, [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as packed:
            for name, array in self._arrays.items():
                one = io.BytesIO()
                np.save(one, array)
                content = one.getvalue()
                if name == chosen:
                    content = content[:10] + mutations.words(content[10:128], rng) + content[128:]
                packed.writestr(f"{name}.npy", content)
        return file.getvalue()

    @staticmethod
    def _changed(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        kind = rng.integers(6)
        if kind == 0:  # another length
            sizes = [max(0, n + int(rng.integers(-2, 3))) for n in array.shape]
            return np.resize(array, sizes).astype(array.dtype)
        if kind == 1:
            kinds = ["u1", "i1", "i2", ">i2", "u2", "i4", "i8", "f4", "f8", "?", "S3"]
            return array.astype(mutations.some(rng, kinds))
        if kind == 2:
            return mutations.some(rng, [array.T, array.reshape(-1), array[None], array[..., :0], array[::-1]])
        if kind == 3:
            return np.resize(array, int(rng.integers(0, 100_000))).astype(array.dtype)
        changed = array.copy()
        flat, info = changed.reshape(-1), np.iinfo(array.dtype)
        for _ in range(rng.integers(1, 9)):
            if len(flat):
                flat[rng.integers(len(flat))] = mutations.some(rng, [info.min, info.max, 0, 1, info.max // 2])
        return changed
