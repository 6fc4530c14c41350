"""Grids in array files: MATLAB `.mat` (3DShapeNets' `instance`), NumPy `.npy` and `.npz`."""

import math
import os
import zipfile

import numpy as np

from keras3dgan.errors import InputError
from keras3dgan.files import replacing
from keras3dgan.voxels import grid as grids

_VARIABLE = "instance"
_HDF5 = b"\x89HDF\r\n\x1a\n"
# The bit of a zip entry that says so.
_ENCRYPTED = 1
# One float64 grid of the largest resolution read; anything bigger is no single shape.
_MAX_BYTES = grids.MAX_RESOLUTION**3 * 8 + 4096


def read_mat(path: str | os.PathLike[str], threshold: float | None = None, invert: bool = False) -> np.ndarray:
    """Reads one grid of the official 3DShapeNets volumes, their variable `instance`.

    Args:
        path: a `.mat` file.
        threshold: as for `grid.check`.
        invert: as for `grid.check`.

    Returns:
        `uint8` (n, n, n); 30^3 in the official volumes, z up already.

    Raises:
        InputError: the file is missing, damaged or has no such variable, or holds no cubic grid.
    """
    import scipy.io  # here: slow to import

    _require_file(path)
    with open(path, "rb") as file:
        if _HDF5 in file.read(1024):
            raise InputError(f"{path}: is a MATLAB 7.3 file (HDF5), which is not read; save it with -v7 or -v6.")
    try:
        declared = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path)}
        if _VARIABLE not in declared:
            raise InputError(f"{path}: holds no variable '{_VARIABLE}', as the official 3DShapeNets volumes do.")
        _check_declared(*declared[_VARIABLE], path)
        content = scipy.io.loadmat(path, variable_names=[_VARIABLE])
    except (InputError, MemoryError):
        raise
    except Exception as error:  # scipy raises whatever the damaged bytes lead it to
        raise InputError(f"{path}: not a readable .mat file; get the file again.") from error
    return grids.check(content[_VARIABLE], str(path), threshold, invert)


def _check_declared(shape: tuple[int, ...], kind: str, path: str | os.PathLike[str]) -> None:
    """Refuses what is no grid of numbers before it is unpacked."""
    if kind in ("cell", "struct", "object", "char", "function", "opaque", "sparse", "unknown"):
        raise InputError(f"{path}: its variable '{_VARIABLE}' is a {kind}, not numbers; save the grid itself.")
    if math.prod(shape) > grids.MAX_RESOLUTION**3:
        raise InputError(f"{path}: '{_VARIABLE}' is larger than one grid of {grids.MAX_RESOLUTION}^3; split it.")


def read_npy(path: str | os.PathLike[str], threshold: float | None = None, invert: bool = False) -> np.ndarray:
    """Reads one grid from a `.npy` file, or from a `.npz` file that holds a single array or one called `grid`.

    Args:
        path: the file.
        threshold: as for `grid.check`.
        invert: as for `grid.check`.

    Raises:
        InputError: the file is missing, damaged, needs unpickling, or holds no single cubic grid.
    """
    _require_file(path)
    try:
        array = (
            _npz_member(path)
            if str(path).lower().endswith(".npz")
            else np.load(path, mmap_mode="r", allow_pickle=False)
        )
    except (InputError, MemoryError):
        raise
    except Exception as error:  # NumPy and zipfile raise many kinds on damaged files
        raise InputError(
            f"{path}: not a readable NumPy file of plain numbers; save it again with numpy.save."
        ) from error
    return grids.check(array, str(path), threshold, invert)


def write_npy(path: str | os.PathLike[str], grid: np.ndarray) -> None:
    """Writes one grid as `.npy`, or compressed as `.npz` under the name `grid`."""
    # Through an open file: NumPy would add another suffix to a name that ends in .NPY.
    with replacing(path) as temporary, open(temporary, "wb") as file:
        if temporary.suffix.lower() == ".npz":
            np.savez_compressed(file, grid=grid.astype(np.uint8))
        else:
            np.save(file, grid.astype(np.uint8))


def _require_file(path: str | os.PathLike[str]) -> None:
    if not os.path.isfile(path):
        raise InputError(f"{path}: no such file.")


def _npz_member(path: str | os.PathLike[str]) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        name = "grid.npy" if "grid.npy" in names else names[0] if len(names) == 1 else None
        if name is None:
            raise InputError(f"{path}: holds {len(names)} arrays; store the grid alone or under the name 'grid'.")
        if archive.getinfo(name).flag_bits & _ENCRYPTED:
            raise InputError(f"{path}: is encrypted; save it without a password.")
        if archive.getinfo(name).file_size > _MAX_BYTES:
            raise InputError(f"{path}: unpacks to more than one grid of {grids.MAX_RESOLUTION}^3; split it.")
    with np.load(path, allow_pickle=False) as content:
        return content[name.removesuffix(".npy")]
