"""The `.binvox` format of Patrick Min's voxeliser, which ShapeNet and 3D-R2N2 use."""

import dataclasses
import os
import pathlib
import re

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels import grid as grids

_MAX_HEADER = 8192


@dataclasses.dataclass(frozen=True)
class Binvox:
    """A grid and where it lies in the model's own space.

    Attributes:
        grid: `uint8` (n, n, n) in the model's axes: x, y, z.
        translate: the model coordinates of the grid's lowest corner.
        scale: the length of the whole grid in model units.

    Example:
        >>> write_binvox("cube.binvox", Binvox(np.ones((8, 8, 8), np.uint8), scale=2.0))
        >>> read_binvox("cube.binvox").scale
        2.0
    """

    grid: np.ndarray
    translate: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0


def read_binvox(path: str | os.PathLike[str]) -> Binvox:
    """Reads a `.binvox` file.

    The file stores runs of equal voxels with y running fastest, then z, then x; the grid comes back as (x, y, z).

    Raises:
        InputError: the file is missing, is no binvox file, is cut off, or its runs do not fill its grid.
    """
    if not os.path.isfile(path):  # a pipe would keep its reader waiting
        raise InputError(f"{path}: no such file.")
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    size, translate, scale, start = _parse_header(content, path)
    data = content[start:]
    runs = np.frombuffer(data[: len(data) // 2 * 2], dtype=np.uint8).reshape(-1, 2)
    ends = np.cumsum(runs[:, 1].astype(np.int64))
    used = int(np.searchsorted(ends, size**3)) + 1  # what follows the last run is padding
    if used > len(runs) or ends[used - 1] != size**3:
        found = int(ends[-1]) if len(ends) else 0
        what = "ends after" if found < size**3 else "has runs that do not end at"
        raise InputError(
            f"{path}: {what} {min(found, size**3)} of the {size**3} voxels of its header; get the whole file."
        )
    values, counts = runs[:used, 0], runs[:used, 1].astype(np.int64)
    stored = np.repeat(values != 0, counts).reshape(size, size, size)
    return Binvox(np.ascontiguousarray(stored.transpose(0, 2, 1)).astype(np.uint8), translate, scale)


def write_binvox(path: str | os.PathLike[str], binvox: Binvox) -> None:
    """Writes a `.binvox` file that `read_binvox` and other readers of the format restore exactly."""
    size = binvox.grid.shape[0]
    voxels = binvox.grid.transpose(0, 2, 1).astype(np.uint8).ravel()
    starts = np.flatnonzero(np.diff(voxels, prepend=voxels[0] ^ 1))
    lengths = np.diff(starts, append=voxels.size)
    # A run holds at most 255 voxels: long ones become full runs and a rest.
    pieces = -(-lengths // 255)
    counts = np.full(pieces.sum(), 255)
    counts[np.cumsum(pieces) - 1] = lengths - 255 * (pieces - 1)
    runs = np.stack([np.repeat(voxels[starts], pieces), counts], axis=1).astype(np.uint8)
    x, y, z = binvox.translate
    header = f"#binvox 1\ndim {size} {size} {size}\ntranslate {x!r} {y!r} {z!r}\nscale {binvox.scale!r}\ndata\n"
    with replacing(path) as temporary:
        temporary.write_bytes(header.encode("ascii") + runs.tobytes())


def _parse_header(content: bytes, path: str | os.PathLike[str]) -> tuple[int, tuple[float, float, float], float, int]:
    """Size, place, scale, and where the data start. Line ends may be LF or CRLF; `#` begins a comment."""
    end = re.search(rb"^[ \t]*data[ \t]*\r?\n", content[:_MAX_HEADER], re.MULTILINE)
    if not content.startswith(b"#binvox") or end is None:
        raise InputError(f"{path}: not a binvox file (its header is missing); give a file written by binvox.")
    header = content[: end.start()].decode("latin-1")
    lines = [line.split("#", 1)[0].split() for line in header.splitlines()[1:]]
    fields = {words[0].lower(): words[1:] for words in lines if words}
    dim = fields.get("dim", [])
    if len(dim) != 3 or not all(re.fullmatch(r"\d{1,4}", n) for n in dim) or len(set(dim)) != 1:
        raise InputError(f"{path}: its header gives no cubic size ('dim n n n'); give a file with three equal sides.")
    size = int(dim[0])
    if not 0 < size <= grids.MAX_RESOLUTION:
        raise InputError(f"{path}: {size}^3 voxels are more than the {grids.MAX_RESOLUTION}^3 that are read.")
    try:
        x, y, z = (float(v) for v in fields.get("translate", ["0", "0", "0"]))
        scale = float(fields.get("scale", ["1"])[0])
    except (ValueError, IndexError) as error:
        raise InputError(
            f"{path}: 'translate' or 'scale' in its header holds no number; get the file again."
        ) from error
    return size, (x, y, z), scale, end.end()
