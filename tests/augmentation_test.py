import numpy as np
import pytest

from keras3dgan import augmentation, data
from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids
from keras3dgan.voxels.shape_set import ShapeSet
from tests.conftest import corner_shape


def _set_of(grid, count=200):
    packed = np.repeat(grids.pack(grid[None]), count, axis=0)
    return ShapeSet(packed, np.zeros(count, np.int64), np.array([f"{i}" for i in range(count)]), ("a",), len(grid))


def _batch(grid, names):
    voxels = next(iter(data.training_batches(_set_of(grid), 200, 0, augmentation=names))).numpy()[..., 0]
    return {row.astype(np.uint8).tobytes() for row in voxels}, voxels


def _seat(size=16):
    """Nearly alike when mirrored in x, not in y: a plate with a back, a leg and a knob on one side."""
    grid = np.zeros((size,) * 3, np.uint8)
    grid[4:12, 3:9, 5] = 1
    grid[4:12, 8, 5:14] = 1
    grid[11, 3, 2] = 1
    return grid


def test_mirror_mirrors_only_what_stays_alike():
    seen, _ = _batch(_seat(), "mirror")
    assert seen == {_seat().tobytes(), _seat()[::-1].tobytes()}
    seen, _ = _batch(corner_shape(), "mirror")
    assert seen == {corner_shape().tobytes()}


def test_shift_moves_by_a_voxel_and_never_out():
    grid = _seat()
    seen, _ = _batch(grid, "shift")
    assert seen == {
        np.roll(grid, (x, y, z), (0, 1, 2)).tobytes() for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1)
    }
    full = np.ones((8, 8, 8), np.uint8)
    assert _batch(full, "shift")[0] == {full.tobytes()}


def test_stretch_keeps_the_longest_extent_and_the_middle():
    grid = np.zeros((32,) * 3, np.uint8)
    grid[10:20, 6:18, 2:30] = 1
    _, voxels = _batch(grid, "stretch")
    extents = np.array([[np.ptp(axis) + 1 for axis in np.nonzero(shape)] for shape in voxels])
    assert (extents[:, 2] == 28).all()
    assert set(extents[:, 0]) == {8, 10, 12} and set(extents[:, 1]) == {10, 12, 14}  # what is symmetric stays so
    middles = np.array([[axis.min() + axis.max() for axis in np.nonzero(shape)] for shape in voxels])
    assert (abs(middles - [29, 23, 31]) <= 1).all()
    assert voxels.sum() == extents.prod(axis=1).sum()  # boxes stay boxes


def test_all_at_once_stay_in_the_grid():
    _, voxels = _batch(_seat(), "mirror,shift,stretch,rotate")
    assert set(np.unique(voxels)) == {0, 1} and (voxels.sum(axis=(1, 2, 3)) > 0.6 * _seat().sum()).all()


@pytest.mark.parametrize(
    ("names", "words"),
    [("turn", "'turn' is unknown"), ("none,flip", "stands alone"), ("mirror,flip", "leave 'flip' out")],
)
def test_bad_names(names, words):
    with pytest.raises(InputError, match=words):
        augmentation.parse(names)
