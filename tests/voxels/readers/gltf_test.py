import base64
import functools

import DracoPy
import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.voxels.io import read_shape
from tests.voxels import chair
from tests.voxels.readers.gltf_builder import Builder, whole, y_up

_CHAIR = y_up(chair.vertices())
_TRIANGLES = chair.triangles()
_HALF_TURN = [0.0, 1.0, 0.0, 0.0]  # about y, as x, y, z, w


def _plain(kind: str = "u4") -> Builder:
    builder = whole()
    primitive = builder.root["meshes"][0]["primitives"][0]
    primitive["indices"] = builder.accessor(_TRIANGLES.reshape(-1), kind, bounds=False)
    return builder


def _unindexed() -> Builder:
    builder = Builder()
    builder.node(mesh=builder.mesh(_CHAIR[_TRIANGLES].reshape(-1, 3), None))
    return builder


def _strided() -> Builder:
    builder = whole()
    rows = np.zeros((48, 8), "<f4")
    rows[:, 3:6] = _CHAIR
    accessor = builder.root["accessors"][0]
    accessor |= {"bufferView": builder.view(rows.tobytes(), byteStride=32), "byteOffset": 12}
    return builder


def _quantised(normalized: bool) -> Builder:
    builder = Builder()
    low, size = _CHAIR.min(axis=0), np.ptp(_CHAIR, axis=0).max()
    steps = np.round((_CHAIR - low) / size * 65535)
    mesh = builder.mesh(_CHAIR, _TRIANGLES)
    positions = builder.accessor(steps, "u2", normalized=normalized)
    builder.root["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = positions
    scale = size if normalized else size / 65535
    builder.node(mesh=mesh, scale=[scale] * 3, translation=low.tolist())
    builder.root["extensionsRequired"] = ["KHR_mesh_quantization"]
    return builder


def _sparse(base: bool) -> Builder:
    builder = whole()
    moved = _CHAIR.astype("<f4")
    if base:
        moved[:40] = 77  # the values that the sparse part puts right
    places = np.arange(40 if base else 48, dtype="<u2")
    entry = builder.root["accessors"][0]
    entry["sparse"] = {
        "count": len(places),
        "indices": {"bufferView": builder.view(places.tobytes()), "componentType": 5123},
        "values": {"bufferView": builder.view(_CHAIR.astype("<f4")[places].tobytes())},
    }
    if base:
        entry["bufferView"] = builder.view(moved.tobytes())
    else:
        del entry["bufferView"]
    return builder


def _placed() -> Builder:
    """The chair turned, enlarged and moved, and nodes that undo it: a matrix above a translation, rotation and scale."""
    builder = Builder()
    mesh = builder.mesh(_CHAIR * [-0.5, 0.5, -0.5] + [3, 4, 5], _TRIANGLES)
    child = builder.node(root=False, mesh=mesh, rotation=_HALF_TURN, scale=[2, 2, 2])
    matrix = [2.0, 0, 0, 0, 0, 2.0, 0, 0, 0, 0, 2.0, 0, 1, 1, 1, 1]
    builder.node(children=[builder.node(root=False, children=[child], translation=[1, 2, 3])], matrix=matrix)
    return builder


def _parts(mode: int, index) -> Builder:
    """Each quadrilateral as a primitive of its own, of this mode."""
    builder = Builder()
    mesh = builder.mesh(_CHAIR, index(chair.quads()[0]), mode=mode)
    first = builder.root["meshes"][0]["primitives"]
    for quad in chair.quads()[1:]:
        indices = builder.accessor(index(quad), "u4", bounds=False)
        first.append({"attributes": {"POSITION": 0}, "indices": indices, "mode": mode})
    builder.node(mesh=mesh)
    return builder


def _morphed() -> Builder:
    builder = whole()
    shift = np.zeros((48, 3))
    shift[:8] = [0, 4, 0]  # the seat hangs 4 lower in the mesh, and the target lifts it by half its weight
    builder.root["accessors"][0] |= {"bufferView": builder.view((_CHAIR - shift * 0.5).astype("<f4").tobytes())}
    builder.root["accessors"][0].pop("min")
    primitive = builder.root["meshes"][0]["primitives"][0]
    primitive["targets"] = [{"POSITION": builder.accessor(shift)}]
    builder.root["meshes"][0]["weights"] = [9.0]
    builder.root["nodes"][0]["weights"] = [0.5]
    return builder


def _skinned() -> Builder:
    """The back of the chair lies behind it and hangs on a joint that carries it to its place."""
    builder = whole()
    back = np.arange(48)[:, None] // 8 == 1
    builder.root["accessors"][0] |= {"bufferView": builder.view((_CHAIR - back * [0, 0, 20]).astype("<f4").tobytes())}
    builder.root["accessors"][0].pop("min")
    joints, weights = np.zeros((48, 4)), np.zeros((48, 4))
    joints[:, 0], weights[:, 0] = back[:, 0], 1
    attributes = builder.root["meshes"][0]["primitives"][0]["attributes"]
    attributes |= {"JOINTS_0": builder.accessor(joints, "u1"), "WEIGHTS_0": builder.accessor(weights)}
    ends = [builder.node(translation=[7, 7, 7]), builder.node(translation=[1, 1, 21])]
    inverse = np.stack([np.eye(4), np.eye(4)])
    inverse[0, 3, :3], inverse[1, 3, :3] = -7, -1  # stored column by column
    builder.root["skins"] = [{"joints": ends, "inverseBindMatrices": builder.accessor(inverse, bounds=False)}]
    builder.root["nodes"][0] |= {"skin": 0, "translation": [99, 0, 0]}  # the node's own place does not count
    return builder


def _instanced() -> Builder:
    """Boxes of one size, placed by instances; what is compared is written out with nodes below."""
    builder = Builder()
    points, quads = chair.parts()[2]
    corners = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    mesh = builder.mesh(y_up(points), corners)
    attributes = {
        "TRANSLATION": builder.accessor(np.array([[0, 0, 0], [4, 0, 0], [0, 2, -3]], float)),
        "SCALE": builder.accessor(np.array([[1, 1, 1], [1, 2, 1], [2, 1, 1]], float)),
        "ROTATION": builder.accessor(np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, np.sqrt(0.5), np.sqrt(0.5)]])),
    }
    builder.node(mesh=mesh, extensions={"EXT_mesh_gpu_instancing": {"attributes": attributes}})
    builder.root["extensionsRequired"] = ["EXT_mesh_gpu_instancing"]
    return builder


def _draco(parts: bool) -> Builder:
    builder = Builder()
    pieces = chair.parts() if parts else [(chair.vertices(), chair.quads())]
    for points, quads in pieces:
        corners = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.uint32)
        content = DracoPy.encode(y_up(points).astype(np.float32), corners, quantization_bits=14)
        mesh = builder.mesh(y_up(points), corners)
        extension = {"bufferView": builder.view(content), "attributes": {"POSITION": 0}}
        builder.root["meshes"][mesh]["primitives"][0]["extensions"] = {"KHR_draco_mesh_compression": extension}
        builder.node(mesh=mesh)
    for accessor in builder.root["accessors"]:
        del accessor["bufferView"]
    builder.root["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    return builder


def _with_points() -> Builder:
    builder = whole()
    far = builder.accessor(np.array([[0, 0, 0], [500, 500, 500]], float))
    builder.root["meshes"][0]["primitives"] += [{"attributes": {"POSITION": far}, "mode": mode} for mode in (0, 1)]
    return builder


def _scenes() -> Builder:
    builder = whole()
    far = builder.mesh(np.array([[0, 0, 0], [90, 0, 0], [0, 90, 0]], float), [0, 1, 2])
    builder.root["scenes"] = [{"nodes": [builder.node(root=False, mesh=far)]}, {"nodes": [0]}]
    builder.root["scene"] = 1
    return builder


def _hidden() -> Builder:
    builder = whole()
    far = builder.mesh(np.array([[0, 0, 0], [90, 0, 0], [0, 90, 0]], float), [0, 1, 2])
    builder.node(mesh=far, extensions={"KHR_node_visibility": {"visible": False}})
    return builder


def _without(key: str) -> Builder:
    builder = whole()
    for name in ("scene", "scenes") if key == "scenes" else ("scene",):
        del builder.root[name]
    return builder


def _deep() -> Builder:
    builder = whole()
    index = 0
    for _ in range(600):
        index = builder.node(root=False, children=[index])
    builder.root["scenes"][0]["nodes"] = [index]
    return builder


_WRITTEN = {
    "plain": whole,
    "u1 indices": functools.partial(_plain, "u1"),
    "u2 indices": functools.partial(_plain, "u2"),
    "no indices": _unindexed,
    "strided": _strided,
    "quantised": functools.partial(_quantised, False),
    "normalised": functools.partial(_quantised, True),
    "sparse": functools.partial(_sparse, True),
    "sparse without base": functools.partial(_sparse, False),
    "placed by nodes": _placed,
    "strips": functools.partial(_parts, 5, lambda quad: quad[[0, 1, 3, 2]]),
    "fans": functools.partial(_parts, 6, lambda quad: quad),
    "morphed": _morphed,
    "skinned": _skinned,
    "Draco": functools.partial(_draco, False),
    "Draco in parts": functools.partial(_draco, True),
    "points and lines too": _with_points,
    "two scenes": _scenes,
    "hidden node": _hidden,
    "no default scene": functools.partial(_without, "scene"),
    "no scenes": functools.partial(_without, "scenes"),
    "deep": _deep,
}


@pytest.mark.parametrize("name", _WRITTEN)
def test_files_as_people_write_them(tmp_path, name):
    path = tmp_path / "a.glb"
    path.write_bytes(_WRITTEN[name]().glb())
    np.testing.assert_array_equal(read_shape(path, 32), chair.grid())


def test_instances_are_the_nodes_written_out(tmp_path):
    (tmp_path / "a.glb").write_bytes(_instanced().glb())
    builder = _instanced()
    node = builder.root["nodes"].pop()
    builder.root["scenes"][0]["nodes"] = []
    half = float(np.sqrt(0.5))
    builder.node(mesh=node["mesh"])
    builder.node(mesh=node["mesh"], translation=[4, 0, 0], scale=[1, 2, 1])
    builder.node(mesh=node["mesh"], translation=[0, 2, -3], scale=[2, 1, 1], rotation=[0, 0, half, half])
    (tmp_path / "b.glb").write_bytes(builder.glb())
    np.testing.assert_array_equal(read_shape(tmp_path / "a.glb", 32), read_shape(tmp_path / "b.glb", 32))


@pytest.mark.parametrize(
    ("uri", "name"), [("my%20chair.bin", "my chair.bin"), ("st%C3%BChle.bin", "stühle.bin"), ("a b.bin", "a b.bin")]
)
def test_data_beside_the_file(tmp_path, uri, name):
    builder = whole()
    (tmp_path / name).write_bytes(builder.data)
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "a.gltf").write_bytes(mark + builder.gltf(uri))
        np.testing.assert_array_equal(read_shape(tmp_path / "a.gltf", 32), chair.grid())


def test_data_in_the_file(tmp_path):
    builder = whole()
    content = base64.b64encode(builder.data).decode()
    (tmp_path / "a.gltf").write_bytes(builder.gltf(f"data:application/octet-stream;base64,{content}"))
    np.testing.assert_array_equal(read_shape(tmp_path / "a.gltf", 32), chair.grid())


def _changed(path: str, value) -> bytes:
    """The chair with one value of its JSON changed: `accessors/0/count`."""
    builder = whole()
    *keys, last = [int(key) if key.isdigit() else key for key in path.split("/")]
    functools.reduce(lambda at, key: at[key], keys, builder.root)[last] = value
    return builder.glb()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (whole().glb()[:-300], "was cut off"),
        (whole().glb()[:16], "ends inside its header"),
        (b"{", "JSON is damaged"),
        (_changed("asset/version", "1.0"), "only glTF 2.0"),
        (_changed("accessors/0/max", [9, 9, 9]), "declares values from"),
        (_changed("accessors/0/count", 47), "declares values from|do not exist"),
        (_changed("accessors/1/count", 999), "reaches beyond its buffer view"),
        (_changed("accessors/1/count", 215), "no whole triangles"),
        (_changed("accessors/0/count", 10**10), "accessors hold more than"),
        (_changed("bufferViews/0/byteLength", 10**6), "reaches beyond its buffer"),
        (_changed("extensionsRequired", ["EXT_unheard_of"]), "EXT_unheard_of, which is not read"),
        (_changed("nodes/0/mesh", 3), "names meshes 3, but holds 1"),
        (_changed("nodes/0/children", [0]), "stands twice"),
        (_changed("meshes/0/primitives/0/mode", 1), "only points or lines"),
        (_changed("scenes/0/nodes", []), "no mesh in its scene"),
        (_changed("meshes/0/primitives/0/attributes", {}), "lacks or misuses 'POSITION'"),
        (_changed("nodes/0/skin", 0), "weighs no vertices"),
    ],
)
def test_what_would_be_another_shape_is_refused(tmp_path, content, words):
    path = tmp_path / "bad.glb"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_shape(path, 32)
    assert "bad.glb" in str(error.value)


def test_compression_that_is_not_read_is_named(tmp_path):
    builder = whole()
    builder.root["bufferViews"][0]["extensions"] = {"EXT_meshopt_compression": {}}
    builder.root["extensionsRequired"] = ["EXT_meshopt_compression"]
    (tmp_path / "a.glb").write_bytes(builder.glb())
    with pytest.raises(InputError, match="EXT_meshopt_compression, which is not read"):
        read_shape(tmp_path / "a.glb", 32)


def test_missing_and_remote_data_are_named(tmp_path):
    for uri, words in (("gone.bin", r"'gone.bin' is missing"), ("https://x.invalid/a.bin", "nothing is downloaded")):
        (tmp_path / "a.gltf").write_bytes(whole().gltf(uri))
        with pytest.raises(InputError, match=words):
            read_shape(tmp_path / "a.gltf", 32)
    (tmp_path / "short.bin").write_bytes(whole().data[:100])
    (tmp_path / "a.gltf").write_bytes(whole().gltf("short.bin"))
    with pytest.raises(InputError, match="end after 100 of"):
        read_shape(tmp_path / "a.gltf", 32)


def test_draco_data_are_checked(tmp_path):
    for path, value, words in (("count", 30, "12 faces where 10"), ("max", [9.0, 9.0, 9.0], "declares values")):
        builder = _draco(True)
        builder.root["accessors"][1 if path == "count" else 0][path] = value
        (tmp_path / "a.glb").write_bytes(builder.glb())
        with pytest.raises(InputError, match=words):
            read_shape(tmp_path / "a.glb", 32)
    builder = _draco(True)
    builder.data = builder.data.replace(b"DRACO", b"BRACO")
    (tmp_path / "a.glb").write_bytes(builder.glb())
    with pytest.raises(InputError, match="Draco data are damaged"):
        read_shape(tmp_path / "a.glb", 32)
