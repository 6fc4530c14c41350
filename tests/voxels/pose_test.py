import numpy as np
import pytest

from keras3dgan.voxels import grid as grids
from keras3dgan.voxels import io, pose
from tests.conftest import corner_shape


def test_the_poses_are_all_there_and_none_mirrors():
    turned = [pose.turn(corner_shape(), number) for number in range(pose.COUNT)]
    assert len({grid.tobytes() for grid in turned}) == pose.COUNT == 24
    mirrored = np.flip(corner_shape(), 0)
    assert not any((grid == mirrored).all() for grid in turned)
    np.testing.assert_array_equal(turned[0], corner_shape())
    np.testing.assert_array_equal(turned[1], np.rot90(corner_shape(), axes=(0, 1)))
    np.testing.assert_array_equal(turned[pose.Y_UP[0]], grids.y_up_to_z_up(corner_shape()))


def test_turning_back_undoes_turning():
    grid = np.random.default_rng(0).integers(0, 2, (7, 7, 7)).astype(np.uint8)
    for number in range(pose.COUNT):
        np.testing.assert_array_equal(pose.turn_back(pose.turn(grid, number), number), grid)


def test_equal_poses_count_once():
    bar = np.zeros((8,) * 3, np.uint8)
    bar[3:5, 3:5, :] = 1
    assert list(pose.distinct(bar)) == [0, 4, 5]
    assert list(pose.distinct(corner_shape())) == list(range(24))
    assert list(pose.distinct(corner_shape(), pose.UPRIGHT)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("path", "up"),
    [
        ("ShapeNetCore.v2/03001627/1006be65e7bc937e9141f9b58470d646/models/model_normalized.obj", "y"),
        ("ShapeNetCore.v2/03001627/1006be65e7bc937e9141f9b58470d646/models/model_normalized.solid.binvox", "y"),
        ("ShapeNetCore.v1/02691156/10155655850468db78d106ce0a280f87/model.obj", "y"),
        ("ShapeNetVox32/02691156/10155655850468db78d106ce0a280f87/model.binvox", "y"),
        ("chairs/model.obj", None),
        ("03001627/model.obj", None),
        ("03001627/a/model.npy", None),
        ("13001627/a/model.obj", None),
        ("ModelNet10/chair/train/chair_0001.off", None),
    ],
)
def test_trees_are_told_by_their_folders(tmp_path, path, up):
    assert pose.up_of_tree(path) == pose.up_of_tree(tmp_path / path) == up


def test_files_of_these_trees_stand_upright(tmp_path):
    path = tmp_path / "ShapeNetVox32/02691156/ab12/model.binvox"
    io.write_shape(path, corner_shape())
    np.testing.assert_array_equal(io.read_shape(path, 8), grids.y_up_to_z_up(corner_shape()))
    np.testing.assert_array_equal(io.read_shape(path, 8, up="z"), corner_shape())
