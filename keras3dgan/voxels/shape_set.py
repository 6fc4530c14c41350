"""A set of labelled shapes in memory, packed to one bit a voxel."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import zipfile
from collections.abc import Iterable, Sequence

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids

MODELNET10_CLASSES = (
    "bathtub",
    "bed",
    "chair",
    "desk",
    "dresser",
    "monitor",
    "night_stand",
    "sofa",
    "table",
    "toilet",
)
SPLITS = ("train", "validation", "test")
_PACKED_FORM = "the packed form has X_train, y_train, X_test, y_test"
_VALIDATION_SHARE = 0.1
_TEST_SHARE = 0.2
# 100,000 grids of 32^3 as int32, the largest form seen; anything bigger is no such archive.
_MAX_ARRAY_BYTES = 100_000 * 4 * 32**3


@dataclasses.dataclass(frozen=True)
class ShapeSet:
    """Shapes of one split.

    Attributes:
        packed: `uint8` (count, bytes), each row a packed grid.
        labels: `int64` (count,), indices into `class_names`.
        ids: where each shape comes from, (count,) strings.
        class_names: the classes that labels count.
        resolution: n of the n^3 grids.

    Example:
        >>> from keras3dgan import data
        >>> shapes = data.load("furniture_voxels", "test")
        >>> len(shapes), shapes.grids(slice(4)).shape
        (162, (4, 32, 32, 32))
    """

    packed: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    class_names: tuple[str, ...]
    resolution: int

    def __len__(self) -> int:
        return len(self.packed)

    def grids(self, rows: int | slice | np.ndarray = slice(None)) -> np.ndarray:
        """The grids of some rows, default: all, `uint8` (count, n, n, n); of a single row (n, n, n)."""
        return grids.unpack(self.packed[rows], self.resolution)

    def occupied(self) -> float:
        """Mean share of occupied voxels, in [0, 1]."""
        return float(np.bitwise_count(self.packed).sum(dtype=np.int64)) / (len(self) * self.resolution**3)

    def take(self, rows: np.ndarray) -> ShapeSet:
        """The shapes of these rows (indices or a mask)."""
        return dataclasses.replace(self, packed=self.packed[rows], labels=self.labels[rows], ids=self.ids[rows])

    def with_classes(self, names: Sequence[str]) -> ShapeSet:
        """Only the shapes of these classes, labels counted anew in the order given.

        Raises:
            InputError: a name is no class of this set, stands twice, or has no shapes.
        """
        for name in names:
            if name not in self.class_names:
                raise InputError(f"'{name}' is no class here; choose among {', '.join(self.class_names)}.", "classes")
        if len(set(names)) < len(names):
            raise InputError(f"a name stands twice in '{','.join(names)}'; give each once.", "classes")
        old = [self.class_names.index(name) for name in names]
        kept = self.take(np.isin(self.labels, old))
        missing = [name for name, label in zip(names, old, strict=True) if label not in kept.labels]
        if missing:
            raise InputError(f"there are no shapes of class '{missing[0]}' in this split; leave it out.", "classes")
        lookup = np.full(len(self.class_names), -1)
        lookup[old] = np.arange(len(old))
        return dataclasses.replace(kept, labels=lookup[kept.labels], class_names=tuple(names))


def is_validation(group: str) -> bool:
    """Whether a training shape belongs to the validation part: one in ten, the same on every machine and for ever.

    Args:
        group: what must not be torn apart, e.g. the object's name without its rotation.
    """
    return _position(group) < _VALIDATION_SHARE


def own_split(group: str) -> str:
    """The split of a shape whose source knows none: a tenth `validation`, a fifth `test`, the rest `train`."""
    if is_validation(group):
        return "validation"
    return "test" if _position(group) >= 1 - _TEST_SHARE else "train"


def _position(group: str) -> float:
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2**64


def read_packed_archive(path: str | os.PathLike[str], split: str, resolution: int = 32) -> ShapeSet:
    """Reads the common packed form of ModelNet10: a `.npz` with `X_train, y_train, X_test, y_test`.

    Empty grids are left out: they are failed voxelisations. 30^3 is centred in 32^3, as the report's data; other sizes are
    resampled.

    Args:
        path: the `.npz` file.
        split: `train` (without its validation part), `validation`, or `test`.
        resolution: n of the result.

    Raises:
        InputError: the file is missing, damaged, of another form, or too large.
    """
    part = "test" if split == "test" else "train"
    if split not in SPLITS:
        raise InputError(f"'{split}' is no split; choose train, validation or test.")
    volumes, labels = read_arrays(path, f"X_{part}", f"y_{part}")
    count = len(volumes)
    size = round((volumes.size / max(count, 1)) ** (1 / 3))
    if count == 0 or volumes.size != count * size**3 or size > grids.MAX_RESOLUTION or labels.shape != (count,):
        raise InputError(
            f"{path}: X_{part} {volumes.shape} and y_{part} {labels.shape} are no cubic grids with labels."
        )
    if labels.dtype.kind not in "iu" or not 0 <= labels.min() <= labels.max() < len(MODELNET10_CLASSES):
        raise InputError(f"{path}: y_{part} must number the ten classes of ModelNet10 from 0 to 9.")
    solid = (volumes.reshape(count, size, size, size) > 0.5).astype(np.uint8)
    ids = np.array([f"{part}/{index:05d}" for index in range(count)])
    kept = solid.any(axis=(1, 2, 3))
    if part == "train":
        kept &= np.array([is_validation(name) == (split == "validation") for name in ids])
    fitted = [
        grids.fit(grids.fit(grid, 32), resolution) if size <= 32 else grids.fit(grid, resolution)
        for grid in solid[kept]
    ]
    packed = grids.pack(np.array(fitted, np.uint8).reshape(-1, *(resolution,) * 3))
    return ShapeSet(packed, labels[kept].astype(np.int64), ids[kept], MODELNET10_CLASSES, resolution)


def read_arrays(path: str | os.PathLike[str], *names: str, form: str = _PACKED_FORM) -> Iterable[np.ndarray]:
    """Some arrays of a `.npz` file.

    Args:
        path: the file.
        names: of the arrays.
        form: what such a file holds, for the error message.

    Raises:
        InputError: the file is missing, damaged, too large, or lacks one.
    """
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file.")
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        missing = [name for name in names if f"{name}.npy" not in sizes]
        if missing:
            raise InputError(f"{path}: holds no array '{missing[0]}'; {form}.")
        if max(sizes[f"{name}.npy"] for name in names) > _MAX_ARRAY_BYTES:
            raise InputError(f"{path}: unpacks to more than {_MAX_ARRAY_BYTES >> 30} GiB; split it.")
        with np.load(path, allow_pickle=False) as content:
            return [content[name] for name in names]
    except InputError:
        raise
    except Exception as error:  # NumPy, zipfile and zlib raise many kinds on damaged files
        raise InputError(f"{path}: not a readable .npz archive of plain numbers; get the file again.") from error
