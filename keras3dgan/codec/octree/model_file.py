"""The `.npz` file of an octree model, from an untrusted place: nothing is unpacked before it is known to fit.

The compiled loops index these arrays without bounds checks. So name, type, shape and values of each are checked here, once.
"""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Mapping
from typing import IO, BinaryIO

import numpy as np

from keras3dgan.codec.octree import codebook, features, network
from keras3dgan.codec.octree.layout import Layout
from keras3dgan.errors import InputError

# All arrays together, unpacked; the file itself; its zip directory, of which a model has some 80 entries.
MOST_BYTES = 1 << 30
MOST_FILE_BYTES = 1 << 28
_MOST_DIRECTORY_BYTES = 1 << 16
# A zip file's last bytes, without a comment: signature, four numbers, size of the directory, its offset, no comment.
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sLQL")
_HEADER_BYTES = 512
_PART = 1 << 20
FINEST = 256  # training keeps places in bytes


def layout(resolution: int) -> dict[str, Layout]:
    """What the arrays of a model of n^3 grids are like, by their names."""
    found = codebook.layout(resolution)
    for level in features.levels(resolution):
        found |= {f"{level}_{name}": each for name, each in network.layout(level, features.size(level)).items()}
    return found


def read(file: BinaryIO, name: str) -> dict[str, np.ndarray]:
    """The arrays of a model's file, safe to be given to the compiled loops.

    Args:
        file: the content, at most `MOST_FILE_BYTES`.
        name: what to call it in messages.

    Raises:
        InputError: anything in it is not as `layout` says, or it would unpack to more than `MOST_BYTES`.
    """
    try:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            members = _members(archive, name)
            finest = max((n for n in features.levels(FINEST) if f"codebook_{n}" in members), default=features.BASE)
            expected = layout(finest)
            _check_names(members, expected, name)
            shapes = _shapes(archive, members, expected, name)
            arrays = {key: _array(archive, members[key], *shapes[key]) for key in expected if key in members}
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib and numpy each raise their own
        raise InputError(f"{name}: not a trained octree model; get the file again, or train it again.") from error
    for key, array in arrays.items():
        if len(array) and not expected[key].least <= array.min() <= array.max() <= expected[key].most:
            raise _wrong(name, key, f"holds numbers outside {expected[key].least} to {expected[key].most}")
    return arrays


def _wrong(name: str, key: str, why: str) -> InputError:
    return InputError(
        f"{name}: not a trained octree model, its array {key!r:.40} {why}; get the file again, or train it again."
    )


def _check_directory(file: BinaryIO) -> None:
    """Looks at the directory's size: zipfile takes hundreds of bytes of memory for every entry."""
    file.seek(-_END.size, 2)
    end = _END.unpack(file.read(_END.size))
    if end[0] != b"PK\5\6" or end[5] > _MOST_DIRECTORY_BYTES:
        raise ValueError("no zip file of a few arrays")
    if file.tell() >= _END.size + _END_64.size:
        file.seek(-_END.size - _END_64.size, 2)
        if file.read(4) == b"PK\6\7":  # says another size of the directory
            raise ValueError("a zip file of more than 4 GiB")


def _members(archive: zipfile.ZipFile, name: str) -> dict[str, zipfile.ZipInfo]:
    """The files in the archive by the names of their arrays."""
    infos = archive.infolist()
    members = {info.filename.removesuffix(".npy"): info for info in infos}
    for key, info in members.items():
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _wrong(name, key, "is packed in a way that numpy does not write")
    if len(members) < len(infos):
        raise ValueError("an array stands twice")
    total = sum(info.file_size for info in infos)
    if total > MOST_BYTES:
        largest = max(members, key=lambda key: members[key].file_size)
        raise _wrong(name, largest, f"is too large, all unpack to {total} bytes, more than {MOST_BYTES}")
    return members


def _check_names(members: Mapping[str, object], expected: Mapping[str, Layout], name: str) -> None:
    for key in members:
        if key not in expected:
            raise _wrong(name, key, "belongs to none")
    for key, each in expected.items():
        if key not in members and not each.optional:
            raise _wrong(name, key, "is missing")


def _shapes(
    archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], expected: Mapping[str, Layout], name: str
) -> dict[str, tuple[tuple[int, ...], bool, np.dtype]]:
    """Shape, Fortran order and type of each array, as its first bytes say, once they are what is expected."""
    found: dict[str, tuple[tuple[int, ...], bool, np.dtype]] = {}
    lengths: dict[str, int] = {}
    for key, each in expected.items():
        if key not in members:
            continue
        with archive.open(members[key]) as file:
            shape, fortran, dtype = _header(file)
            begin = file.tell()
        if dtype != np.dtype(each.dtype):
            raise _wrong(name, key, f"holds {dtype}, not {each.dtype}")
        if not each.fits(shape, lengths):
            raise _wrong(name, key, f"is of shape {shape!s:.60}, not {each.words(lengths)}")
        if members[key].file_size != begin + math.prod(shape) * dtype.itemsize:
            raise _wrong(name, key, "is cut off, or longer than it says")
        found[key] = (shape, fortran, dtype)
    return found


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError("numpy writes version 1.0 for arrays like these")
    return np.lib.format.read_array_header_1_0(file, max_header_size=_HEADER_BYTES)


def _array(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, shape: tuple[int, ...], fortran: bool, dtype: np.dtype
) -> np.ndarray:
    flat = np.empty(math.prod(shape), dtype)
    content = flat.view(np.uint8).data
    with archive.open(info) as file:
        _header(file)
        # Part by part: zipfile gives copies.
        for start in range(0, len(content), _PART):
            part = content[start : start + _PART]
            part[:] = file.read(len(part))
        if file.read(1):
            raise ValueError("longer than it says")
    return np.ascontiguousarray(flat.reshape(shape, order="F" if fortran else "C"))
