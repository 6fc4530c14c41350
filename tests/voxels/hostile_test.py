"""Files that would take all memory, all time, or the process: one sentence each, and the rest of their folder is read."""

import os
import struct
import time
import zlib

import numpy as np
import pytest
import trimesh

from keras3dgan.bounded import Limits
from keras3dgan.errors import InputError
from keras3dgan.voxels import io
from tests.conftest import corner_shape, run_command
from tests.voxels.readers.gltf_builder import whole

_FILES = {}


def _file(name):
    """Registers what writes a hostile file, by the file's name."""

    def register(make):
        _FILES[name] = make
        return make

    return register


def _element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + b"\0" * (-len(content) % 8)


def _variable(kind, shape, content, name=b"instance"):
    """A variable of a MATLAB file, version 5: flags, dimensions, name, and what it holds."""
    flags, sizes = struct.pack("<II", kind, 0), struct.pack(f"<{len(shape)}i", *shape)
    return _element(14, _element(6, flags) + _element(5, sizes) + _element(1, name) + content)


def _mat(*variables):
    return b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM") + b"".join(variables)


def _packed(variable):
    content = zlib.compress(variable, 1)
    return struct.pack("<II", 15, len(content)) + content


def _nested(depth):
    """Cells in cells: each level needs 56 bytes, so they are made from the inside out by their sizes alone."""
    head = _element(6, struct.pack("<II", 1, 0)) + _element(5, struct.pack("<ii", 1, 1)) + _element(1, b"")
    level = 8 + len(head)
    starts = (struct.pack("<II", 14, (depth - k) * level - 8) + head for k in range(depth))
    return b"".join(starts)


@_file("nested.mat")
def _nested_cells():
    """scipy unpacks cells by recursion: 17,000 of them overflow its stack."""
    inside = _nested(17_000)
    return _mat(_variable(1, (1, 1), inside))


@_file("other.mat")
def _nested_cells_of_another_name():
    return _mat(_variable(1, (1, 1), _nested(17_000), b"other"), _variable(1, (1, 1), _nested(17_000), b"instance"))


@_file("deflated.mat")
def _deflated():
    """600 KB that become 1 GiB of float64."""
    return _mat(_packed(_variable(6, (513, 512, 512), _element(2, bytes(513 << 18)))))


@_file("declares.mat")
def _declares():
    return _mat(_variable(6, (512, 512, 2**30), _element(9, bytes(800))))


def _gltf(change):
    builder = whole()
    change(builder.root)
    return builder.glb()


@_file("accessor.glb")
def _accessor():
    def change(root):
        root["accessors"][0] = {"componentType": 5126, "type": "VEC3", "count": 10**9}
        root["meshes"][0]["primitives"][0].pop("indices", None)

    return _gltf(change)


@_file("instanced.glb")
def _instanced():
    """Many nodes of one mesh, each with as many instances as accessors without data may declare."""

    def change(root):
        root["accessors"].append({"componentType": 5126, "type": "VEC3", "count": 20_000_000})
        placed = {"EXT_mesh_gpu_instancing": {"attributes": {"TRANSLATION": len(root["accessors"]) - 1}}}
        root["nodes"] = [{"mesh": 0, "extensions": placed} for _ in range(100)]
        root["scenes"] = [{"nodes": [*range(100)]}]

    return _gltf(change)


@_file("shared.glb")
def _shared():
    """One mesh with a million faces of three numbers, drawn by a thousand nodes."""

    def change(root):
        root["accessors"][0] = {"componentType": 5126, "type": "VEC3", "count": 3_000_000}
        root["meshes"][0]["primitives"] = [{"attributes": {"POSITION": 0}}]
        root["nodes"] = [{"mesh": 0} for _ in range(1000)]
        root["scenes"] = [{"nodes": [*range(1000)]}]

    return _gltf(change)


@_file("chains.glb")
def _chains():
    def change(root):
        root["nodes"] = [{"children": [k + 1], "mesh": 0} for k in range(100_000)] + [{"mesh": 0}]
        root["scenes"] = [{"nodes": [0]}]

    return _gltf(change)


@_file("deep.gltf")
def _deep():
    return b'{"asset":' * 100_000


@_file("outside.gltf")
def _outside():
    return whole().gltf("../../../../../../etc/passwd")


@_file("escapes.gltf")
def _escapes():
    builder = whole()
    builder.root["extensionsRequired"] = ["\x1b[2J\x1b]0;title\x07" + "x" * 100_000]
    return builder.gltf("a.bin")


@_file("cascade.stl")
def _cascade():
    """A hundred thousand open parts, each as large as the grid."""
    rng = np.random.default_rng(0)
    facets = np.zeros(100_000, [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    facets["corners"] = rng.random((100_000, 3, 3)).astype("f4")
    return bytes(80) + struct.pack("<I", len(facets)) + facets.tobytes()


@_file("empty_rows.ply")
def _empty_rows():
    head = "ply\nformat binary_little_endian 1.0\nelement odd 4000000000\nelement vertex 1\nproperty float x\n"
    return (head + "element face 1\nproperty list uchar int vertex_indices\nend_header\n").encode() + bytes(40)


@_file("declares.npy")
def _large_array():
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (9999, 9999, 9999), }".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + bytes(80)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    for name, make in _FILES.items():
        (folder / name).write_bytes(make())
    np.save(folder / "good.npy", corner_shape())
    return folder


@pytest.mark.parametrize("name", _FILES)
def test_hostile_files_give_a_sentence(folder, name):
    io.read_grid(folder / "good.npy")  # the child has been started
    begin = time.perf_counter()
    with pytest.raises(InputError, match=f"{name}: .*[;,] .*") as error:
        io.read(folder / name, 32, limits=Limits(seconds=3, bytes=1 << 30))
    assert time.perf_counter() - begin < 20
    assert len(str(error.value)) < 500 and str(error.value).isprintable()
    assert error.value.__cause__ is None  # a RuntimeError there would be a fault of a reader


def test_pipes_are_not_waited_for(tmp_path):
    (tmp_path / "a.gltf").write_bytes(whole().gltf("pipe.bin"))
    for name in ("pipe.bin", *(f"pipe{suffix}" for suffix in io.READABLE)):
        os.mkfifo(tmp_path / name)
    for name in ("a.gltf", *(f"pipe{suffix}" for suffix in io.READABLE)):
        with pytest.raises(InputError, match="no such file|is missing; put it beside it"):
            io.read(tmp_path / name, 32, limits=Limits(seconds=5))


def test_a_folder_survives_whatever_is_in_it(folder, tmp_path):
    for name in ("nested.mat", "accessor.glb", "escapes.gltf"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    for name in ("a.npy", "m.npy", "z.npy"):
        np.save(tmp_path / name, corner_shape(32))
    trimesh.creation.box().export(tmp_path / "n.obj")
    found = run_command("compress", f"--output={tmp_path}/out", tmp_path, check=False)
    assert found.returncode == 1 and "3 of 7 failed" in found.stderr
    assert "\x1b" not in found.stderr and all(name in found.stderr for name in ("nested", "accessor", "escapes"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.g3c", "m.g3c", "n.g3c", "z.g3c"]


def test_what_comes_out_of_the_child_process_is_what_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.obj"
    trimesh.creation.cone(1, 3).apply_translation([1e3, 2, 3]).export(path)
    inside, here = io.read(path, 32, up="y"), io.read(path, 32, up="y", limits=None)
    np.testing.assert_array_equal(inside.grid, here.grid)
    assert inside[1:] == here[1:] and inside.up == "y"
    inside.grid[0] = 1  # writable, as any array that one has read
    np.save(tmp_path / "a.npy", np.pad(corner_shape(), 1))
    assert io.read(tmp_path / "a.npy", 32).stored == 10
    np.testing.assert_array_equal(io.read_grid(tmp_path / "a.npy"), np.pad(corner_shape(), 1))
    monkeypatch.chdir(tmp_path)  # names count from where one is, not from where the child was started
    assert io.read("a.npy", 32).stored == 10
