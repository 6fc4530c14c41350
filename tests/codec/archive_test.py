"""The `.g3a` archive: random access, whole or not at all, and damage that is found."""

import numpy as np
import pytest

from keras3dgan.codec import archive, container
from keras3dgan.codec.archive import Archive
from keras3dgan.errors import InputError

_MODEL = b"model of 32 bytes"
_STREAMS = {f"chairs/{i}.obj": container.wrap(bytes([i]) * i, _MODEL) for i in range(40)}


@pytest.fixture
def path(tmp_path):
    with archive.create(tmp_path / "deep" / "a.g3a", _MODEL) as writer:
        for name, stream in _STREAMS.items():
            writer.add(name, stream)
    return tmp_path / "deep" / "a.g3a"


def test_shapes_are_found_by_index_and_name(path):
    found = Archive(path)
    assert len(found) == 40 and found.names == [*_STREAMS] and found.model == _MODEL[:3]
    for row, (name, stream) in enumerate(_STREAMS.items()):
        assert found.stream(row) == found.stream(name) == stream
    payload = sum(len(stream) - container.OVERHEAD for stream in _STREAMS.values())
    names = sum(len(name) for name in _STREAMS)
    assert path.stat().st_size < payload + 40 + names / 3 + 3 * 40
    for which in (40, -1, "nobody"):
        with pytest.raises(InputError, match="holds no shape"):
            found.stream(which)


def test_shapes_without_names_take_less(tmp_path, path):
    with archive.create(tmp_path / "a.g3a", _MODEL) as writer:
        for stream in _STREAMS.values():
            writer.add("", stream)
        with pytest.raises(ValueError, match="or none has"):
            writer.add("a", _STREAMS["chairs/3.obj"])
    found = Archive(tmp_path / "a.g3a")
    assert found.names[11] == "000011" and [found.stream(row) for row in range(40)] == [*_STREAMS.values()]
    payload = sum(len(stream) - container.OVERHEAD for stream in _STREAMS.values())
    # Header and footer, three checksums, zlib's own bytes, and a size of at most a byte.
    assert (tmp_path / "a.g3a").stat().st_size <= payload + 23 + 12 + 11 + 40


def test_an_empty_archive_is_one(tmp_path):
    with archive.create(tmp_path / "a.g3a", _MODEL):
        pass
    assert Archive(tmp_path / "a.g3a").names == []


def test_nothing_is_left_of_a_failure(tmp_path):
    with pytest.raises(InputError, match="stands twice"), archive.create(tmp_path / "a.g3a", _MODEL) as writer:
        writer.add("a", _STREAMS["chairs/3.obj"])
        writer.add("a", _STREAMS["chairs/3.obj"])
    with (
        pytest.raises(InputError, match="another model|written by model"),
        archive.create(tmp_path / "a.g3a", b"else") as w,
    ):
        w.add("a", _STREAMS["chairs/3.obj"])
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_archive_gets_a_sentence(tmp_path, path):
    content = path.read_bytes()
    for bad, words in ((b"PK" * 40, "not a .g3a"), (content[:10], "cut off"), (content[:-1], "cut off or damaged")):
        (tmp_path / "bad.g3a").write_bytes(bad)
        with pytest.raises(InputError, match=rf"bad\.g3a: .*{words}"):
            Archive(tmp_path / "bad.g3a")
    with pytest.raises(InputError, match="cannot be read"):
        Archive(tmp_path / "none.g3a")


def test_every_flipped_bit_is_found_or_harmless(path, tmp_path):
    content = path.read_bytes()
    bad = tmp_path / "bad.g3a"
    rng = np.random.default_rng(0)
    for position in rng.permutation(8 * len(content))[:1500]:
        mutated = bytearray(content)
        mutated[position // 8] ^= 1 << position % 8
        bad.write_bytes(mutated)
        try:
            found = Archive(bad)
            streams = [found.stream(row) for row in range(len(found))]
        except InputError:
            continue
        # Left: the fingerprint, which every stream repeats and its reader compares.
        assert 4 <= position // 8 < 7
        with pytest.raises(InputError, match="written by model"):
            container.unwrap(streams[0], _MODEL)
