"""Model files from an untrusted place: each array wrong in every way that would let a compiled loop read elsewhere."""

import io
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest

from keras3dgan.codec.octree import model_file
from keras3dgan.codec.octree.model import OctreeModel
from keras3dgan.errors import InputError
from tests.codec.octree_model import random_model
from tests.conftest import boxes

_MODEL = random_model(boxes(20))
_ARRAYS = _MODEL._arrays()
_SHORT = "x.npz: not a trained octree model"


def _file(arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def _longer(array):
    return np.concatenate([array, array[:1]])


def _much_longer(array):
    return np.resize(array, (100_000 // max(array[0].size, 1) + len(array), *array.shape[1:]))


def _wider(array):
    return np.concatenate([array, array[..., :1]], axis=-1)


def _lower(array):
    return _with(array, -1 if array.dtype.kind == "u" else np.iinfo(array.dtype).min)


def _higher(array):
    return _with(array, np.iinfo(array.dtype).max)


def _with(array, value):
    """The array with its last value another; of a wider type where the type cannot hold it."""
    changed = array.astype(np.int64) if value < 0 <= np.iinfo(array.dtype).min else array.copy()
    changed.reshape(-1)[-1] = value
    return changed


_WAYS = {
    "longer": _longer,
    "much longer": _much_longer,
    "shorter": lambda array: array[:-1],
    "wider": _wider,
    "narrower": lambda array: array[..., :-1],
    "empty": lambda array: array[:0],
    "flat": np.ravel,
    "deep": lambda array: array[None],
    "a scalar": lambda array: array.reshape(-1)[0],
    "too low": _lower,
    "too high": _higher,
    "floats": lambda array: array.astype(np.float32),
    "wide integers": lambda array: array.astype(np.int64),
    "signed": lambda array: array.view(array.dtype.str.replace("u", "i") if array.dtype.kind == "u" else "u2"),
    "swapped bytes": lambda array: array.astype(array.dtype.newbyteorder(">")),
    "objects": lambda array: array.astype(object),
    "words": lambda array: array.astype("U9"),
}
# What is in order: any number of known shapes, any bits in them, any 16 bits as weights of a first layer, many members; a row
# is flat already, and single bytes have no order.
_IN_ORDER = {
    (name, way)
    for name, array in _ARRAYS.items()
    for way in _WAYS
    if (way in ("longer", "much longer", "shorter", "empty", "too high") and name == "known")
    or (way in ("too low", "too high") and array.dtype == np.int16)
    or (way == "flat" and array.ndim == 1)
    or (way == "swapped bytes" and array.dtype == np.uint8)
    or (way == "too high" and name == "members")
}
# Where a changed length stands in another array too, and that one is called wrong: prototypes once, units of four layers, twice.
_ANOTHER = {"longer": 1, "much longer": 1, "shorter": 1, "empty": 1, "wider": 8, "narrower": 8}


@pytest.mark.parametrize("way", _WAYS)
def test_an_array_that_does_not_fit_is_named(way):
    refused, told = 0, 0
    for name, array in _ARRAYS.items():
        if (name, way) in _IN_ORDER:
            OctreeModel.from_bytes(_file({**_ARRAYS, name: _WAYS[way](array)}), "x.npz")
            continue
        with pytest.raises(InputError, match=f"^{_SHORT}.*; get the file again, or train it again.$") as error:
            OctreeModel.from_bytes(_file({**_ARRAYS, name: _WAYS[way](array)}), "x.npz")
        refused += 1
        told += f"'{name}'" in str(error.value)
    assert refused >= 15 and told == refused - _ANOTHER.get(way, 0)


def test_every_array_is_needed_and_no_other_taken():
    for name in _ARRAYS:
        rest = {key: array for key, array in _ARRAYS.items() if key != name}
        with pytest.raises(InputError, match=_SHORT):
            OctreeModel.from_bytes(_file(rest), "x.npz")
    for name in ("codebook_512", "32_first", "extra", "a" * 300, "\x1b[31m"):
        with pytest.raises(InputError, match=f"{_SHORT}, its array '.{{1,40}} belongs to none") as error:
            OctreeModel.from_bytes(_file({**_ARRAYS, name: np.zeros(3)}), "x.npz")
        assert "\x1b" not in str(error.value) and len(str(error.value)) < 200


def test_sizes_that_arrays_share_may_differ_between_models():
    fewer = {**_ARRAYS, **{f"codebook_{n}": _ARRAYS[f"codebook_{n}"][:3] for n in (8, 16)}}
    fewer["members"] = _ARRAYS["members"][:3]
    model = OctreeModel.from_bytes(_file(fewer), "x.npz")
    grids = boxes(3, seed=8).grids()
    np.testing.assert_array_equal(model.decode(model.encode(grids), 3), grids)
    # Column by column is another order in the file, and the same model.
    columns = {key: np.asfortranarray(array) for key, array in _ARRAYS.items()}
    assert OctreeModel.from_bytes(_file(columns), "x.npz").fingerprint == _MODEL.fingerprint


def _zeros(size):
    """`size` zero bytes in raw deflate, a thousandth as long."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (size >> 20) + packer.flush()


def _bomb(key, header_shape, said):
    """A model whose array holds 2 GiB of zeros, by a directory that says so or not."""
    size = 2 << 30
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": header_shape})
    rest = _file({name: array for name, array in _ARRAYS.items() if name != key})
    packer = zlib.compressobj(9, wbits=-15)
    start = packer.compress(header.getvalue()) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = start + _zeros(size)
    name = f"{key}.npy".encode()
    size = said or size + len(header.getvalue())
    common = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, 0, len(packed), size, len(name), 0)
    with zipfile.ZipFile(io.BytesIO(rest)) as archive:
        place, count = archive.start_dir, len(archive.infolist())
    directory = rest[place:-22]
    local = b"PK\3\4" + common + name + packed
    entry = b"PK\1\2" + struct.pack("<H", 20) + common + struct.pack("<HHHLL", 0, 0, 0, 0, place) + name
    directory += entry
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count + 1, count + 1, len(directory), place + len(local), 0)
    return rest[:place] + local + directory + end


def test_bombs_are_not_unpacked():
    whole = (1 << 22, 512)
    cases = [
        (_bomb("known", whole, None), "'known' is too large, all unpack to 21[0-9]* bytes, more than 1073741824"),
        (_bomb("known", whole, 5000), "'known' is of shape"),
        (_bomb("known", (100, 512), 51_328), "not a trained octree model"),
        (_bomb("codebook_16", (7, 16, 16, 16), 28_800), "not a trained octree model"),
    ]
    for content, words in cases:
        assert len(content) < 3 << 20
        tracemalloc.start()
        with pytest.raises(InputError, match=f"x.npz: .*{words}"):
            OctreeModel.from_bytes(content, "x.npz")
        assert tracemalloc.get_traced_memory()[1] < 40 << 20
        tracemalloc.stop()


def test_a_directory_of_many_files_is_not_read():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for index in range(2000):
            archive.writestr(f"{index}.npy", b"")
    with pytest.raises(InputError, match=_SHORT):
        OctreeModel.from_bytes(content.getvalue(), "x.npz")


def test_a_file_larger_than_any_model_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(model_file, "MOST_FILE_BYTES", 1 << 20)
    with open(tmp_path / "x.npz", "wb") as file:
        file.truncate(model_file.MOST_FILE_BYTES + 1)
    with pytest.raises(InputError, match=r"x\.npz: not a trained octree model, it is larger than any"):
        OctreeModel.load(tmp_path / "x.npz")
    (tmp_path / "x.npz").write_bytes(_MODEL.to_bytes())
    assert OctreeModel.load(tmp_path / "x.npz").fingerprint == _MODEL.fingerprint
    with pytest.raises(InputError, match=r"none\.npz: cannot be read"):
        OctreeModel.load(tmp_path / "none.npz")


def test_any_change_of_a_file_gives_a_sentence_or_a_model_that_works():
    content = _file(_ARRAYS)
    rng = np.random.default_rng(0)
    read = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        headers = [info.header_offset for info in archive.infolist()]
    for _ in range(300):
        mutated = bytearray(content)
        # In headers and directory, where sizes stand.
        place = rng.choice([*headers, *range(headers[-1], len(content), 300)]) + rng.integers(300)
        mutated[place % len(content)] ^= 1 << rng.integers(8)
        try:
            model = OctreeModel.from_bytes(bytes(mutated), "x.npz")
        except InputError:
            continue
        read += 1
        assert model.decode(b"abc" * 9).shape == (1, 16, 16, 16)
    assert 0 < read < 300
