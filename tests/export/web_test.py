"""The decoder in JavaScript gives the voxels that Python gives, or an error where Python gives one."""

from __future__ import annotations

import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from keras3dgan import codec
from keras3dgan.codec import archive, container
from keras3dgan.codec.archive import Archive
from keras3dgan.codec.octree.codebook import Codebook
from keras3dgan.codec.octree.model import OctreeModel, Start
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.codec.origin import Origin
from keras3dgan.datasets.furniture_voxels import bundled as furniture
from keras3dgan.errors import InputError
from keras3dgan.export import web_export
from keras3dgan.voxels.mesh import surface, write_mesh
from keras3dgan.voxels.placement import Placement
from keras3dgan.voxels.pose import turn
from tests.codec.octree_model import random_model
from tests.conftest import boxes, corner_shape
from tests.export.catalogue import write_catalogue
from tests.export.range_server import serve

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not installed (Debian: apt-get install nodejs)")
_SCRIPTS = pathlib.Path(__file__).parent / "web"
_SLOWEST_MS = 2000


def _node(script: str, *words: object):
    done = subprocess.run([str(NODE), _SCRIPTS / script, *map(str, words)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def _decoded(tmp_path, model, streams, count=None):
    """What Node says of each stream; with `count`, of payloads of so many shapes."""
    web_export.write_web_model(model, tmp_path / "model.g3m")
    content = [{"content": base64.b64encode(s).decode()} | ({"count": count} if count else {}) for s in streams]
    (tmp_path / "streams.json").write_text(json.dumps(content))
    return _node("decode.mjs", tmp_path / "model.g3m", tmp_path / "streams.json")


def _hash(grids: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(grids, np.uint8)).hexdigest()


@pytest.fixture(scope="module")
def model():
    return random_model(boxes(20))


@pytest.fixture(scope="module")
def octree32():
    return codec.load("octree32")


@pytest.fixture(scope="module")
def test_grids():
    """500 shapes: those of the furniture's test part, in their four positions on the floor."""
    grids = furniture.read("test", 32).grids()
    return np.concatenate([np.rot90(grids, turns, (1, 2)) for turns in range(4)])[:500]


@pytest.fixture(scope="module")
def test_streams(octree32, test_grids):
    return [container.wrap(octree32.octree.encode(grid[None]), octree32.fingerprint) for grid in test_grids]


def _golden_grids():
    noise = (np.random.default_rng(3).random((16, 16, 16)) < 0.1).astype(np.uint8)
    corner = np.kron(corner_shape(8), np.ones((2, 2, 2), np.uint8))
    return np.stack([*boxes(6, seed=9).grids(), noise, np.ones_like(noise), np.zeros_like(noise), corner])


def test_golden_streams(model, tmp_path):
    """Those of octree_test, from every kind of start, and noise that an encoder would not write."""
    grids = _golden_grids()
    payloads = [model.encode(grids[:1], [Start(number)]) for number in (0, 3, 7, 8, 20)]
    payloads += [model.encode(grid[None]) for grid in grids]
    payloads += [model.encode(grids[:1], [Start(number, verbatim=True)]) for number in (0, 2, 9)]
    rng = np.random.default_rng(1)
    payloads += [b"", b"\xff" * 5000, *(rng.bytes(size) for size in rng.integers(1, 400, 40))]
    answers = _decoded(tmp_path, model, [container.wrap(payload, model.fingerprint) for payload in payloads])
    assert [answer.get("hash") for answer in answers] == [_hash(model.decode(payload)) for payload in payloads]


def test_a_model_that_knows_no_shapes(model, tmp_path):
    ignorant = OctreeModel(model.networks, Codebook(model.codebook.grades))
    rng = np.random.default_rng(2)
    payloads = [bytes([first]) + rng.bytes(30) for first in range(256)]  # so that every number is read, known or not
    answers = _decoded(tmp_path, ignorant, [container.wrap(payload, ignorant.fingerprint) for payload in payloads])
    assert [answer.get("hash") for answer in answers] == [_hash(ignorant.decode(payload)) for payload in payloads]


def test_sums_that_leave_sixteen_bits(model, tmp_path):
    """Weights so large that the first layers' sums wrap, and the others' need all of 31 bits."""
    rng = np.random.default_rng(5)
    networks = {}
    for level, network in model.networks.items():
        large = {
            name: rng.integers(-30_000, 30_000, getattr(network, name).shape, np.int16) for name in ("glance", "first")
        }
        last = {name: 40 * getattr(network, name) for name in ("second", "third")}
        networks[level] = network._replace(**large, **last)
    wrapping = OctreeModel(networks, model.codebook)
    payloads = [wrapping.encode(grid[None]) for grid in _golden_grids()]
    answers = _decoded(tmp_path, wrapping, [container.wrap(payload, wrapping.fingerprint) for payload in payloads])
    assert [answer.get("hash") for answer in answers] == [_hash(grid) for grid in _golden_grids()]


def test_many_shapes_of_one_payload(model, tmp_path):
    payload = model.encode(_golden_grids())
    damaged = bytes(byte ^ (place == 9) for place, byte in enumerate(payload))
    answers = _decoded(tmp_path, model, [payload, damaged, b"\0" * 10 * 3 * 16**3 + b"\1"], count=10)
    assert [answer.get("hash") for answer in answers[:2]] == [_hash(model.decode(p, 10)) for p in (payload, damaged)]
    assert "longer than any stream" in answers[2]["error"]


def test_the_furnitures_test_part(octree32, test_grids, test_streams, tmp_path):
    answers = _decoded(tmp_path, octree32.octree, test_streams)
    assert len(answers) == 500
    assert [answer["hash"] for answer in answers] == [_hash(grid) for grid in test_grids]


@pytest.mark.parametrize(("model", "finer"), [("octree64", 1), pytest.param("octree128", 2, marks=pytest.mark.slow)])
def test_larger_grids(model, finer, tmp_path):
    used = codec.load(model)
    grids = furniture.read("test", 64).grids()[2:3]
    for axis in (1, 2, 3):
        grids = grids.repeat(finer, axis)
    answers = _decoded(tmp_path, used.octree, used.encode(grids))
    assert [answer["hash"] for answer in answers] == [_hash(grid) for grid in grids]


def _mutated(one: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(one)
    at, kind = rng.integers(len(data)), rng.integers(5)
    if kind == 0:
        data[at] ^= 1 << rng.integers(8)
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at:] = other[rng.integers(len(other)) :]
    elif kind == 3:
        data[at:at] = bytes(data) * rng.integers(1, 60)
    else:
        data = bytearray(rng.bytes(rng.integers(200)))
    return bytes(data)


def test_damaged_streams(octree32, test_streams, tmp_path):
    """2,000 of them; every twentieth has its checksum made right again, so that what lies behind it is tried too."""
    rng = np.random.default_rng(0)
    streams = []
    for number in range(2000):
        one, other = (test_streams[row] for row in rng.integers(len(test_streams), size=2))
        if number % 20:
            streams.append(_mutated(one, other, rng))
        else:
            lay = Origin(number % 24, placement=Placement() if number % 3 else None)
            streams.append(container.wrap(_mutated(one[5:-2], other[5:-2], rng), octree32.fingerprint, lay))
    answers = _decoded(tmp_path, octree32.octree, streams)
    outcomes = {"voxels": 0, "error": 0}
    for stream, answer in zip(streams, answers, strict=True):
        try:
            expected = _hash(octree32.decode(stream))
        except InputError:
            assert answer["error"].endswith(".") and "\n" not in answer["error"]
            outcomes["error"] += 1
        else:
            assert answer.get("hash") == expected, answer
            outcomes["voxels"] += 1
    assert outcomes["voxels"] >= 100 and outcomes["error"] >= 1700
    assert max(answer["ms"] for answer in answers) < _SLOWEST_MS


def test_shapes_stand_as_they_stood_and_lie_where_they_lay(model, tmp_path):
    """In all poses, in streams, in an archive, and as files of meshes."""
    grid = _golden_grids()[-1]
    places = [None, Placement(), Placement((1.5, -0.25, 7.0), 2.75), Placement((-3e-7, 0, 1e-7), 1e-6)]
    origins = [Origin(number, "zy"[number % 2], places[number % 4]) for number in range(24)]
    streams = [container.wrap(model.encode(turn(grid, o.pose)[None]), model.fingerprint, o) for o in origins]
    answers = _decoded(tmp_path, model, streams)
    read = [container.origin(stream) for stream in streams]
    assert [answer["hash"] for answer in answers] == [_hash(grid)] * 24
    assert [answer["origin"] for answer in answers] == [_told(origin) for origin in read]
    used = OctreeCodec(model)
    points = used.choose(np.stack([grid] * 24), archived=True, origins=[replace(o, pose=0) for o in origins])
    with archive.create(tmp_path / "a.g3a", used) as writer:
        for row, point in enumerate(points):
            writer.add(str(row), replace(point, way=point.way._replace(grid=turn(grid, row)), origin=origins[row]))
    [answer] = _node("archive.mjs", tmp_path / "model.g3m", tmp_path / "a.g3a")
    assert answer["origins"] == [_told(origin) for origin in read] and answer["hash"] == _hash(np.stack([grid] * 24))
    for number in (2, 3, 7):
        (tmp_path / "grid").write_bytes(grid.tobytes())
        _node("surfaces.mjs", tmp_path / "grid", 16, tmp_path, json.dumps(_told(read[number])))
        write_mesh(tmp_path / "ours.obj", grid, placement=read[number].placement, up=read[number].up)
        write_mesh(tmp_path / "ours.glb", grid, placement=read[number].placement)
        for form in ("obj", "glb"):
            ours, theirs = (trimesh.load_mesh(tmp_path / f"{name}.{form}").bounds for name in ("ours", "blocks"))
            assert np.abs(ours - theirs).max() < read[number].placement.side / 16


def _told(origin: Origin) -> dict:
    """As JavaScript tells it."""
    place = origin.placement
    told = {"centre": list(place.centre), "side": place.side} if place else None
    return {"pose": origin.pose, "up": origin.up, "placement": told}


def test_what_is_no_stream_gets_a_sentence(model, octree32, tmp_path):
    good = container.wrap(model.encode(_golden_grids()[:1]), model.fingerprint)
    foreign = container.wrap(b"abc", octree32.fingerprint)
    older = container.wrap(b"abc", model.fingerprint)
    bad = [b"", b"PK\3\4abcdefgh", good[:6], good[:1] + b"\x08" + good[2:], good[:-1] + b"?", foreign, b"G3C\2" + older]
    words = ["does not begin", "does not begin", "cut off", "version 8", "checksum", "written with model", "version 51"]
    for answer, word in zip(_decoded(tmp_path, model, bad), words, strict=True):
        assert word in answer["error"]


def test_models_that_are_none(model, tmp_path):
    whole = web_export.web_model(model)
    streams = tmp_path / "streams.json"
    streams.write_text("[]")
    for content, word in (
        (b"PK", "not a model"),
        (whole[:-40], "does not inflate"),
        (b"G3M\1abcd", "not a whole model"),
    ):
        (tmp_path / "bad.g3m").write_bytes(content)
        with pytest.raises(AssertionError, match=word):
            _node("decode.mjs", tmp_path / "bad.g3m", streams)


def _write_archive(path, used, grids, names):
    with archive.create(path, used) as writer:
        for name, point in zip(names, used.choose(grids, archived=True), strict=True):
            writer.add(name, point)


def test_archives(octree32, test_grids, tmp_path):
    names = [f"Möbel/{row}" for row in range(18)]
    _write_archive(tmp_path / "a.g3a", octree32, test_grids[:18], names)
    _write_archive(tmp_path / "b.g3a", octree32, test_grids[:3], [""] * 3)
    _write_archive(tmp_path / "c.g3a", octree32, test_grids[:0], [])
    web_export.write_web_model(octree32.octree, tmp_path / "model.g3m")
    files = [tmp_path / name for name in ("a.g3a", "b.g3a", "c.g3a")]
    answers = _node("archive.mjs", tmp_path / "model.g3m", *files)
    assert [answer["names"] for answer in answers] == [names, ["000000", "000001", "000002"], []]
    assert [answer["hash"] for answer in answers] == [_hash(test_grids[:count]) for count in (18, 3, 0)]


def test_damaged_archives(model, tmp_path):
    used = OctreeCodec(model)
    _write_archive(tmp_path / "a.g3a", used, boxes(20).grids(), [f"chair {row}" for row in range(20)])
    web_export.write_web_model(model, tmp_path / "model.g3m")
    whole = (tmp_path / "a.g3a").read_bytes()
    rng = np.random.default_rng(0)
    bad = []
    for position in rng.permutation(8 * (len(whole) - 7))[:100]:  # all but the header, which says whose archive it is
        mutated = bytearray(whole)
        mutated[7 + position // 8] ^= 1 << position % 8
        bad.append(bytes(mutated))
    bad += [whole[:size] for size in (0, 6, 22, 30, len(whole) - 1)] + [b"PK" * 60, b"G3A\5" + whole[4:]]
    files = []
    for number, content in enumerate(bad):
        files.append(tmp_path / f"{number}.g3a")
        files[-1].write_bytes(content)
        with pytest.raises(InputError):
            found = Archive(files[-1])
            for block in range(len(found.blocks)):
                found.read_block(block, used)
    for answer in _node("archive.mjs", tmp_path / "model.g3m", *files):
        assert answer["error"].endswith(".")


@pytest.fixture(scope="module")
def catalogue(model, tmp_path_factory) -> pathlib.Path:
    """An archive of 100,000 shapes with names."""
    folder = tmp_path_factory.mktemp("catalogue")
    block = model.encode(_golden_grids()[[0, 1, 2, 3] * 4])
    write_catalogue(folder / "all.g3a", model, block)
    (folder / "block").write_bytes(block)
    assert Archive(folder / "all.g3a").names[77_777] == f"chairs/{77_777 % 97}/77777"
    return folder


def test_of_a_catalogue_on_a_server_only_the_index_is_fetched(catalogue):
    size = (catalogue / "all.g3a").stat().st_size
    with serve(catalogue) as (url, served):
        answer = _node("remote.mjs", f"{url}/all.g3a", 3, 77_777, 77_790)
    assert answer["count"] == 100_000 and answer["names"][1] == f"chairs/{77_777 % 97}/77777"
    assert answer["blocks"] == [(catalogue / "block").read_bytes().hex()] * 3
    # The end, the beginning, the rest of the index, and for three blocks two parts of 32 KiB at most.
    assert len(served) <= 6 and sum(part for _, part in served) < size / 4
    assert answer["ms"] < _SLOWEST_MS


def test_a_server_without_ranges_gives_the_whole(catalogue):
    with serve(catalogue, ranges=False) as (url, served):
        answer = _node("remote.mjs", f"{url}/all.g3a", 99_999)
    assert answer["blocks"] == [(catalogue / "block").read_bytes().hex()] and len(served) == 1


def _closed(mesh: trimesh.Trimesh) -> bool:
    """Whether every edge of a face is met by one the other way; edges at which voxels touch have four faces."""
    there = np.sort(mesh.edges @ [len(mesh.vertices), 1])
    back = np.sort(mesh.edges[:, ::-1] @ [len(mesh.vertices), 1])
    return np.array_equal(there, back)


def test_surfaces(test_grids, tmp_path):
    for grid in (*test_grids[[2, 11, 40]], np.pad(corner_shape(8), (0, 24))):
        (tmp_path / "grid").write_bytes(np.ascontiguousarray(grid).tobytes())
        _node("surfaces.mjs", tmp_path / "grid", 32, tmp_path, json.dumps({"up": "z", "placement": None}))
        expected = surface(grid)
        places = {}
        for name in ("blocks", "smooth"):
            text, binary = (trimesh.load_mesh(tmp_path / f"{name}.{kind}", process=False) for kind in ("obj", "glb"))
            assert _closed(text)
            # glTF's y points up: (x, y, z) is (x, z, -y) there.
            np.testing.assert_allclose(binary.vertices @ [[1, 0, 0], [0, 0, 1], [0, -1, 0]], text.vertices, atol=1e-6)
            np.testing.assert_array_equal(binary.faces, text.faces)
            places[name] = text
        padded = np.pad(grid.astype(int), 1)
        faces = sum(np.abs(np.diff(padded, axis=axis)).sum() for axis in range(3))
        assert places["blocks"].area * 32**2 == pytest.approx(faces, rel=1e-5)
        assert places["blocks"].volume * 32**3 == pytest.approx(grid.sum(), rel=1e-4)
        # No vertex is farther than a voxel from scikit-image's, in either direction, and it encloses about as much.
        ours, theirs = places["smooth"].vertices * 32, expected.vertices * 32
        assert cKDTree(theirs).query(ours)[0].max() < 1.0 and cKDTree(ours).query(theirs)[0].max() < 1.0
        assert 0.75 < places["smooth"].volume / expected.volume < 1.05
