"""The `.g3a` archive: random access, whole or not at all, and damage that is found."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from keras3dgan.codec import archive, varints
from keras3dgan.codec.archive import Archive
from keras3dgan.codec.goals import Goal
from keras3dgan.codec.octree.octree_codec import OctreeCodec
from keras3dgan.codec.origin import Origin
from keras3dgan.errors import InputError
from keras3dgan.evaluation.pca import PCACodec
from keras3dgan.voxels.grid import iou
from keras3dgan.voxels.placement import Placement
from tests.codec.octree_model import random_model
from tests.conftest import boxes

_SHAPES = boxes(40, seed=3)
_NAMES = [f"chairs/{i}.obj" for i in range(40)]


def _linear(goal=Goal()):
    codec = PCACodec(_SHAPES, _SHAPES, 10)
    codec.goal = goal
    return codec


@pytest.fixture(scope="module", params=["octree", "latents"])
def codec(request):
    return OctreeCodec(random_model(boxes(20))) if request.param == "octree" else _linear()


@pytest.fixture
def path(codec, tmp_path):
    return _write(tmp_path / "deep" / "a.g3a", codec, _NAMES)


def _write(path, codec, names):
    with archive.create(path, codec) as writer:
        for name, point in zip(names, codec.choose(_SHAPES.grids(), archived=True), strict=True):
            writer.add(name, point)
    return path


def test_shapes_are_found_by_index_and_name(codec, path):
    found = Archive(path)
    assert len(found) == 40 and found.names == _NAMES and found.fingerprint == codec.fingerprint[:3]
    assert [len(rows) for rows in found.blocks] == [16, 16, 8]
    expected = codec.decode(codec.encode(_SHAPES.grids()))
    for row in (0, 15, 16, 39):
        np.testing.assert_allclose(found.shape(row, codec), expected[row], atol=1e-5)
        np.testing.assert_array_equal(found.shape(_NAMES[row], codec), found.shape(row, codec))
    np.testing.assert_allclose(found.read_block(2, codec), expected[32:], atol=1e-5)
    for which in (40, -1, "nobody"):
        with pytest.raises(InputError, match="holds no shape"):
            found.shape(which, codec)


def test_shapes_without_names_take_less(codec, tmp_path, path):
    bare = _write(tmp_path / "b.g3a", codec, [""] * 40)
    assert Archive(bare).names[11] == "000011" and bare.stat().st_size < path.stat().st_size - 40
    points = codec.choose(_SHAPES.grids(), archived=True)
    blocks = codec.blocks([points[:16], points[16:32], points[32:]])
    # Header and footer, three checksums, zlib's own bytes, sizes of two bytes, and a mark where shapes were turned.
    marks = 40 * any(point.origin.pose for point in points)
    assert bare.stat().st_size <= sum(map(len, blocks)) + 23 + 12 + 11 + 6 + marks
    with pytest.raises(ValueError, match="or none has"), archive.create(tmp_path / "c.g3a", codec) as writer:
        writer.add("", points[0])
        writer.add("a", points[0])


def test_shapes_take_what_their_points_say(tmp_path):
    """With a goal, by a codec whose shapes take several coders."""
    codec = _linear(Goal(mean_bytes=9.0))
    assert len({point.way[0] for point in codec.choose(_SHAPES.grids(), archived=True)}) > 1
    path = _write(tmp_path / "a.g3a", codec, [""] * 40)
    assert path.stat().st_size <= 9 * 40 + 40
    points = codec.choose(_SHAPES.grids(), archived=True)
    restored = np.stack([Archive(path).shape(row, codec) for row in range(40)])
    np.testing.assert_allclose(iou(_SHAPES.grids(), restored), [point.iou for point in points], atol=1e-6)


def test_many_blocks_keep_their_order(tmp_path):
    codec = OctreeCodec(random_model(boxes(20)))
    points = codec.choose(_SHAPES.grids(), archived=True)
    with archive.create(tmp_path / "a.g3a", codec) as writer:
        for turn in range(150):
            writer.add("", points[turn % 7])
    found = Archive(tmp_path / "a.g3a")
    for row in (0, 99, 127, 128, 149):
        np.testing.assert_array_equal(found.shape(row, codec), _SHAPES.grids()[row % 7])


def test_shapes_come_back_as_they_stood_and_where_they_lay(tmp_path):
    codec, grids = OctreeCodec(random_model(boxes(20)), poses=range(24)), _SHAPES.grids()
    placed = Placement((0.5, 1, -2), 4.0)
    for origins in (
        None,
        [Origin(up="y"), Origin(placement=placed), Origin(), *[Origin(up="y", placement=placed)] * 37],
    ):
        points = codec.choose(grids, archived=True, origins=origins)
        assert len({point.origin.pose for point in points}) > 4
        with archive.create(tmp_path / "a.g3a", codec) as writer:
            for name, point in zip(_NAMES, points, strict=True):
                writer.add(name, point)
        found = Archive(tmp_path / "a.g3a")
        assert found.names == _NAMES and [found.origin(row) for row in range(40)] == [point.origin for point in points]
        np.testing.assert_array_equal(np.concatenate([found.read_block(i, codec) for i in range(3)]), grids)
    assert found.origin(39) == Origin(points[39].origin.pose, "y", placed)


def test_marks_of_no_origin_and_cut_placements_are_damage(tmp_path):
    for marks in (
        b"\x03",
        b"\x03\x00",
        b"\x03\xff",
        b"\x03\x06" + bytes(2),
        b"\x06\x06" + bytes.fromhex("80000f") + bytes(5),
    ):
        content = zlib.compress(varints.write([0]) + marks)
        footer = struct.pack("<QII", 7, 2, zlib.crc32(bytes(4) + content, 2))
        (tmp_path / "a.g3a").write_bytes(b"G3A\x04" + bytes(3) + bytes(4) + content + footer)
        with pytest.raises(InputError, match="cut off or damaged"):
            Archive(tmp_path / "a.g3a")
    (tmp_path / "a.g3a").write_bytes(b"G3A\x05" + bytes(40))
    with pytest.raises(InputError, match="version 5; this program reads 3 and 4"):
        Archive(tmp_path / "a.g3a")


def test_an_empty_archive_is_one(codec, tmp_path):
    with archive.create(tmp_path / "a.g3a", codec):
        pass
    assert Archive(tmp_path / "a.g3a").names == [] == Archive(tmp_path / "a.g3a").blocks


def test_nothing_is_left_of_a_failure(codec, tmp_path):
    [point] = codec.choose(_SHAPES.grids()[:1], archived=True)
    for names, words in ((["a", "a"], "stands twice"), (["a\nb"], "line break"), (["../a"], "no path below")):
        with pytest.raises(InputError, match=words), archive.create(tmp_path / "a.g3a", codec) as writer:
            for name in names:
                writer.add(name, point)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_archive_gets_a_sentence(tmp_path, path):
    content = path.read_bytes()
    for bad, words in ((b"PK" * 40, "not a .g3a"), (content[:10], "cut off"), (content[:-1], "cut off or damaged")):
        (tmp_path / "bad.g3a").write_bytes(bad)
        with pytest.raises(InputError, match=rf"bad\.g3a: .*{words}"):
            Archive(tmp_path / "bad.g3a")
    with pytest.raises(InputError, match="cannot be read"):
        Archive(tmp_path / "none.g3a")


def _with_index(path, names, checks=b"", count=None, packed=None):
    """An archive of empty blocks with any index, its checksums right."""
    content = packed or zlib.compress(varints.write([0] * (len(checks) // 4)) + names)
    index = checks + content
    count = len(names.split(b"\n")) if count is None else count
    footer = struct.pack("<QII", 7, count, zlib.crc32(index, count))
    path.write_bytes(b"G3A\x03" + bytes(3) + index + footer)
    return path


def test_equal_and_strange_names_are_read_and_found_by_number(codec, tmp_path):
    names = ["a", "a", "", "/", "\0", "\x1b[2J", "x" * 300]
    path = _with_index(tmp_path / "a.g3a", "\n".join(names).encode(), bytes(4))
    found = Archive(path)
    assert found.names == names and found.blocks == [range(7)]
    with pytest.raises(InputError, match=r"a\.g3a: holds several shapes 'a'; ask for one by its number"):
        found.shape("a", codec)
    with pytest.raises(InputError) as error:
        found.shape("\x1b[3J", codec)
    assert str(error.value).endswith("holds no shape '\\x1b[3J'; it has 7.")
    found.fingerprint = codec.fingerprint[:3]
    with pytest.raises(InputError, match="a to x+"):  # damaged, or too short for the latents
        found._checks = [1]
        found.shape(5, codec)


def test_names_take_no_more_memory_than_their_number_says(tmp_path):
    megabytes = zlib.compress(b"\0" + b"\n" * (200 << 20), 9)
    cases = [
        {"packed": megabytes, "count": 16},
        {"packed": zlib.compress(b"\0" + b"\n" * (1 << 18), 9), "count": 3},
        {"names": b"a\nb\xff"},
        {"names": b"a\nb", "count": 3},
        {"names": b"", "count": archive.MOST_SHAPES + 1, "checks": bytes(archive.MOST_SHAPES // 4 + 4)},
        {"packed": zlib.compress(b"\xff" * 300), "count": 1},
    ]
    for case in cases:
        path = _with_index(tmp_path / "a.g3a", **{"names": b"", "checks": bytes(4), **case})
        tracemalloc.start()
        with pytest.raises(InputError, match=r"a\.g3a: cut off or damaged"):
            Archive(path)
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
        tracemalloc.stop()


def test_every_flipped_bit_is_found(codec, path, tmp_path):
    content = path.read_bytes()
    bad = tmp_path / "bad.g3a"
    rng = np.random.default_rng(0)
    for position in rng.permutation(8 * len(content))[:300]:
        mutated = bytearray(content)
        mutated[position // 8] ^= 1 << position % 8
        bad.write_bytes(mutated)
        with pytest.raises(InputError):
            found = Archive(bad)
            for block in range(len(found.blocks)):
                found.read_block(block, codec)
