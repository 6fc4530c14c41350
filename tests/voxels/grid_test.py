import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.voxels import grid as grids
from tests.conftest import corner_shape


def test_packing_is_c_order_and_most_significant_bit_first():
    grid = np.zeros((32, 32, 32), np.uint8)
    grid[0, 0, 0] = grid[0, 0, 9] = grid[31, 31, 31] = 1
    packed = grids.pack(grid)
    assert packed.shape == (4096,)
    assert packed[0] == 128 and packed[1] == 64 and packed[-1] == 1 and packed.sum() == 193


@pytest.mark.parametrize("size", [3, 8, 30, 32])
def test_unpack_undoes_pack(size):
    volumes = (np.random.default_rng(0).random((4, size, size, size)) > 0.7).astype(np.uint8)
    np.testing.assert_array_equal(grids.unpack(grids.pack(volumes), size), volumes)


def test_unpack_refuses_a_wrong_number_of_bytes():
    with pytest.raises(InputError, match="4096"):
        grids.unpack(np.zeros(100, np.uint8), 32)


@pytest.mark.parametrize(("size", "wanted"), [(37, 20), (30, 16), (64, 32), (128, 32), (33, 32), (10, 32), (32, 64)])
def test_resample_keeps_every_voxel_and_invents_none(size, wanted):
    grid = (np.random.default_rng(1).random((size,) * 3) > 0.98).astype(np.uint8)
    expected = np.zeros((wanted,) * 3, np.uint8)
    if wanted < size:
        for voxel in np.argwhere(grid):
            low, high = voxel * wanted // size, -(-(voxel + 1) * wanted // size)
            expected[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 1
    else:
        for voxel in np.argwhere(np.ones((wanted,) * 3)):
            expected[tuple(voxel)] = grid[tuple(((2 * voxel + 1) * size) // (2 * wanted))]
    np.testing.assert_array_equal(grids.resample(grid, wanted), expected)


def test_pad_centres_modelnet_grids():
    padded = grids.pad(np.ones((30, 30, 30), np.uint8), 32)
    assert padded.shape == (32, 32, 32) and padded[1:31, 1:31, 1:31].all() and padded.sum() == 30**3
    with pytest.raises(InputError, match="does not fit"):
        grids.pad(np.ones((40, 40, 40)), 32)


def test_y_up_to_z_up_turns_and_does_not_mirror():
    grid = corner_shape()
    turned = grids.y_up_to_z_up(grid)
    # x stays, y becomes z, z becomes -y.
    assert turned[1:7, 6, 1].all() and turned[1, 6, 1:5].all() and turned[1, 4:7, 1].all()
    assert turned.sum() == grid.sum()


def test_check_names_what_is_wrong():
    assert grids.check(np.ones((1, 4, 4, 4, 1))).shape == (4, 4, 4)
    for bad in (np.ones((4, 4)), np.ones((4, 4, 5)), np.full((4, 4, 4), np.nan), np.full((2, 2, 2), "a")):
        with pytest.raises(InputError, match=r"shape.npy: .*\.$"):
            grids.check(bad, "shape.npy")


def test_the_best_threshold_is_the_one_with_the_highest_mean_iou():
    originals = np.zeros((2, 4, 4, 4), np.uint8)
    originals[:, :2] = 1
    restored = np.where(originals, 0.33, 0.12)
    assert grids.best_threshold(originals, restored) == pytest.approx(0.15)  # the first of equals
    restored[0] = np.where(originals[0], 0.66, 0.57)
    assert grids.best_threshold(originals[:1], restored[:1]) == pytest.approx(0.6)
    assert grids.best_threshold(originals, restored) == pytest.approx(0.15)  # half of one, all of the other


@pytest.mark.parametrize(
    ("values", "high"), [((0, 1), 1), ((0.0, 1.0), 1), ((-1, 1), 1), ((0, 255), 255), ((-0.001, 1.002), 1.002)]
)
def test_two_values_are_an_occupancy_and_so_are_probabilities(values, high):
    wanted = corner_shape()
    grid = np.where(wanted, values[1], values[0])
    np.testing.assert_array_equal(grids.check(grid), wanted)
    rng = np.random.default_rng(0)
    np.testing.assert_array_equal(grids.check(np.where(wanted, 0.51, rng.random(wanted.shape) / 2)), wanted)


def _distances() -> np.ndarray:
    """Distances to a ball, negative inside, in voxels."""
    places = np.indices((16,) * 3) - 7.5
    return np.sqrt((places**2).sum(axis=0)) - 5


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        (_distances(), r"values from -4.134 to 7.99.* lie above 0.5"),
        (-_distances(), "no occupancy"),
        (np.where(_distances() < 0, 0.3, -4.0), "from -4 to 0.3"),
        (np.where(_distances() < 0, 0.49, 0.01), "none above 0.5"),
        (np.clip(_distances(), 0, 3).astype(int), "from 0 to 3"),
    ],
)
def test_what_is_no_occupancy_is_described(grid, words):
    with pytest.raises(InputError, match=words) as error:
        grids.check(grid, "field.npy")
    assert "as threshold" in str(error.value) and "field.npy" in str(error.value)


def test_threshold_and_invert_read_distances_and_logits():
    distances = _distances()
    ball = (distances < 0).astype(np.uint8)
    np.testing.assert_array_equal(grids.check(distances, threshold=0, invert=True), ball)
    np.testing.assert_array_equal(grids.check(-distances, threshold=0), ball)
    np.testing.assert_array_equal(grids.check(ball, invert=True), 1 - ball)


def test_crop_takes_only_empty_layers():
    grid = np.zeros((36,) * 3, np.uint8)
    grid[0, 3:30, 4:36] = 1
    cropped = grids.fit(grid, 32)
    assert cropped.shape == (32,) * 3 and cropped.sum() == grid.sum()
    assert cropped[0, 1:28, 0:32].all()  # x keeps its low end, y is cut evenly, z loses its low end
    grid[33, 0, 0] = 1
    assert grids.crop(grid, 32) is None
    assert grids.fit(np.zeros((33,) * 3, np.uint8), 32).shape == (32,) * 3
