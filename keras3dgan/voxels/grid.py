"""Operations on voxel grids: `uint8` arrays of shape (x, y, z) with values 0 and 1, z up."""

import functools
import math

import numpy as np

from keras3dgan.errors import InputError

MAX_RESOLUTION = 512
# What rounding to float16 or a resampling filter leaves beyond 0 and 1.
_SLACK = 0.01
_THRESHOLDS = np.arange(0.1, 0.75, 0.05)


def check(grid: np.ndarray, name: str = "grid", threshold: float | None = None, invert: bool = False) -> np.ndarray:
    """Returns `grid` as a cubic `uint8` grid of zeros and ones.

    Without a threshold the values must be an occupancy: booleans, numbers between 0 and 1 of which those above 0.5 count as
    occupied, or two numbers, such as -1 and 1 or 0 and 255, of which the larger counts. Distances, logits and labels are no
    occupancy, and a guess would turn a shape inside out.

    Args:
        grid: array of shape (n, n, n), optionally with axes of length 1 around it.
        name: what to call it in the error message, usually a file name.
        threshold: values above it count as occupied, whatever their range.
        invert: what would count as occupied is empty, and the other way round, as in distances that are negative inside.

    Raises:
        InputError: not three axes of one length, larger than 512, values that are not numbers, or no occupancy.
    """
    grid = np.asarray(grid)
    grid = grid.reshape([n for n in grid.shape if n != 1]) if grid.ndim > 3 else grid
    if grid.ndim != 3 or len(set(grid.shape)) != 1 or not 0 < grid.shape[0] <= MAX_RESOLUTION:
        raise InputError(
            f"{name}: expected one cubic grid with three equal axes of at most {MAX_RESOLUTION}, found shape {grid.shape}."
        )
    if grid.dtype.kind not in "biuf" or (grid.dtype.kind == "f" and not np.isfinite(grid).all()):
        raise InputError(f"{name}: a grid holds numbers between 0 and 1; this one holds NaN, infinity or no numbers.")
    occupied = grid > (_level(grid, name) if threshold is None else threshold)
    return (~occupied if invert else occupied).astype(np.uint8)


def _level(grid: np.ndarray, name: str) -> float:
    """The value above which a voxel counts as occupied."""
    low, high = float(grid.min()), float(grid.max())
    if low < -_SLACK or high > 1 + _SLACK:
        two = low in (0, -high) and np.isin(grid, [low, high]).all()
        if not two:
            share = (grid > 0.5).mean()
            raise InputError(
                f"{name}: holds values from {low:.4g} to {high:.4g}, so it is no occupancy between 0 and 1 "
                f"({share:.1%} lie above 0.5); give the level as threshold, and invert where low means inside."
            )
        return (low + high) / 2
    if grid.dtype.kind == "f" and 0 < high <= 0.5:
        raise InputError(
            f"{name}: holds values from {low:.4g} to {high:.4g} and none above 0.5, so it would be empty; "
            "give the level as threshold."
        )
    return 0.5


def pack(grids: np.ndarray) -> np.ndarray:
    """Packs grids into bits, C order, most significant bit first.

    Args:
        grids: (..., n, n, n) of zeros and ones.

    Returns:
        `uint8` of shape (..., ceil(n^3 / 8)): 4096 bytes for 32^3.
    """
    return np.packbits(grids.astype(bool).reshape(*grids.shape[:-3], math.prod(grids.shape[-3:])), axis=-1)


def unpack(packed: np.ndarray, resolution: int) -> np.ndarray:
    """Undoes `pack`: `uint8` (..., bytes) to `uint8` (..., resolution, resolution, resolution).

    Raises:
        InputError: the number of bytes does not belong to this resolution.
    """
    voxels = resolution**3
    if packed.shape[-1] != packed_size(resolution):
        raise InputError(
            f"{packed.shape[-1]} packed bytes are no grid of {resolution}^3, which takes {packed_size(resolution)}."
        )
    bits = np.unpackbits(packed, axis=-1, count=voxels)
    return bits.reshape(*packed.shape[:-1], resolution, resolution, resolution)


def packed_size(resolution: int) -> int:
    """Bytes of a packed grid."""
    return -(-(resolution**3) // 8)


def pad(grid: np.ndarray, resolution: int) -> np.ndarray:
    """Places a grid in the middle of a larger empty one (an odd voxel goes to the high end).

    Raises:
        InputError: the grid is larger than `resolution`.
    """
    spare = resolution - grid.shape[0]
    if spare < 0:
        raise InputError(f"A grid of {grid.shape[0]}^3 does not fit into {resolution}^3; resample it instead.")
    return np.pad(grid, (spare // 2, spare - spare // 2))


def resample(grid: np.ndarray, resolution: int) -> np.ndarray:
    """Brings a grid to another resolution, keeping thin parts.

    A voxel of the result is occupied if any voxel that it overlaps is: for a whole factor this is max pooling on the way
    down and repetition on the way up. Legs one voxel thick survive, which majority voting would erase.

    Args:
        grid: (n, n, n) of zeros and ones.
        resolution: the new n.
    """
    size = grid.shape[0]
    if size == resolution:
        return grid
    if resolution > size:
        source = (2 * np.arange(resolution) + 1) * size // (2 * resolution)
        return grid[np.ix_(source, source, source)]
    if size % resolution == 0:
        factor = size // resolution
        for axis in range(3):
            every = [grid[(slice(None),) * axis + (slice(first, None, factor),)] for first in range(factor)]
            grid = functools.reduce(np.maximum, every)
        return grid
    starts = np.arange(resolution) * size // resolution
    ends = -(-(np.arange(1, resolution + 1) * size) // resolution)
    windows = np.stack([starts, ends], axis=1).ravel()
    for axis in range(3):
        # reduceat takes (start, end) pairs, but an end must be an index too: hence one empty layer behind the last.
        padded = np.pad(grid, [(0, int(a == axis)) for a in range(3)])
        grid = np.maximum.reduceat(padded, windows, axis=axis).take(np.arange(0, 2 * resolution, 2), axis=axis)
    return grid


def fit(grid: np.ndarray, resolution: int) -> np.ndarray:
    """Pads or crops a grid that is at most an eighth too small or too large, resamples every other one.

    A grid is cropped only where all of its occupied voxels stay.
    """
    size = grid.shape[0]
    if resolution * 7 // 8 <= size <= resolution:
        return pad(grid, resolution)
    cropped = crop(grid, resolution) if size * 7 // 8 <= resolution < size else None
    return resample(grid, resolution) if cropped is None else cropped


def crop(grid: np.ndarray, resolution: int) -> np.ndarray | None:
    """Cuts empty layers off a larger grid, evenly where it can; None where occupied voxels would go too."""
    spare = grid.shape[0] - resolution
    cut = []
    for axis in range(3):
        occupied = np.flatnonzero(grid.any(axis=tuple(other for other in range(3) if other != axis)))
        low, high = (occupied[0], occupied[-1] + 1) if len(occupied) else (0, 0)
        if high - low > resolution:
            return None
        start = int(np.clip(spare // 2, max(high - resolution, 0), min(low, spare) if len(occupied) else spare))
        cut.append(slice(start, start + resolution))
    return grid[tuple(cut)]


def y_up_to_z_up(grid: np.ndarray) -> np.ndarray:
    """Turns a grid whose second axis points up into one whose third does: (x, y, z) becomes (x, -z, y)."""
    return np.ascontiguousarray(grid.transpose(0, 2, 1)[:, ::-1, :])


def iou(original: np.ndarray, reconstruction: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Intersection over union of each shape.

    Args:
        original: (batch, ...) in [0, 1].
        reconstruction: the same shape.
        threshold: above it a voxel is occupied.

    Returns:
        float64 (batch,) in [0, 1]; 1 where both are empty.
    """
    shape = (len(original), math.prod(np.shape(original)[1:]))
    a = np.asarray(original).reshape(shape) > threshold
    b = np.asarray(reconstruction).reshape(shape) > threshold
    union = (a | b).sum(axis=1)
    return np.where(union == 0, 1.0, (a & b).sum(axis=1) / np.maximum(union, 1))


def best_threshold(original: np.ndarray, reconstruction: np.ndarray) -> float:
    """The threshold of reconstructions (batch, ...) that gives the highest mean `iou`, of 0.1, 0.15 and so on to 0.7."""
    return float(max(_THRESHOLDS, key=lambda threshold: iou(original, reconstruction, threshold).mean()))
