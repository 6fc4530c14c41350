import numpy as np
import pytest

from keras3dgan.errors import InputError
from keras3dgan.voxels import io, mesh
from tests.conftest import corner_shape


def _shape(resolution: int) -> np.ndarray:
    """Off the middle, with thin parts, single voxels, voxels that touch in an edge only, and a hole."""
    grid = np.zeros((resolution,) * 3, np.uint8)
    third = max(resolution // 3, 2)
    grid[:third, 1 : 2 * third, -third:] = 1
    grid[1, 2, -2] = 0
    grid[third, 2 * third, 0] = grid[-1, -1, -1] = grid[-2, -2, -1] = 1
    grid[third:, 0, 0] = 1
    return grid


@pytest.mark.parametrize("suffix", io.WRITABLE)
@pytest.mark.parametrize("resolution", [8, 13, 32, 50, 64, 128])
def test_what_was_written_comes_back_the_same(tmp_path, suffix, resolution):
    grid = _shape(resolution)
    path = tmp_path / f"a{suffix}"
    io.write_shape(path, grid)
    np.testing.assert_array_equal(io.read_shape(path, resolution), grid)


@pytest.mark.parametrize("suffix", mesh.WRITABLE)
@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
def test_surfaces_of_probabilities_come_back_as_what_lies_above_the_threshold(tmp_path, suffix, threshold):
    occupancy = np.random.default_rng(2).random((20,) * 3)
    occupancy[3, 3, 3] = threshold + 1e-9
    io.write_shape(tmp_path / f"a{suffix}", occupancy, threshold)
    np.testing.assert_array_equal(io.read_shape(tmp_path / f"a{suffix}", 20), occupancy > threshold)


def test_a_surface_of_a_grid_is_read_at_other_resolutions_as_the_grid_is(tmp_path):
    io.write_shape(tmp_path / "a.ply", _shape(64))
    io.write_shape(tmp_path / "a.npy", _shape(64))
    assert io.read(tmp_path / "a.ply", 32).stored == io.read(tmp_path / "a.npy", 32).stored == 64
    for resolution in (32, 70, 128):
        np.testing.assert_array_equal(
            io.read_shape(tmp_path / "a.ply", resolution), io.read_shape(tmp_path / "a.npy", resolution)
        )


def test_other_meshes_in_the_unit_cube_fill_the_grid(tmp_path):
    import trimesh

    for shape in (trimesh.creation.box(), trimesh.creation.icosphere(2, radius=0.5)):
        shape.export(tmp_path / "a.ply")
        assert io.read(tmp_path / "a.ply", 32).stored is None
        assert np.ptp(np.argwhere(io.read_shape(tmp_path / "a.ply", 32)), axis=0).tolist() == [29, 29, 29]


def test_grids_of_other_sizes(tmp_path):
    grid = np.pad(corner_shape(), 13)
    assert grid.shape == (34,) * 3
    np.save(tmp_path / "a.npy", grid)
    np.testing.assert_array_equal(io.read_shape(tmp_path / "a.npy", 32), np.pad(corner_shape(), 12))
    grid[0] = grid[-1] = 1
    np.save(tmp_path / "a.npy", grid)
    with pytest.raises(InputError, match=r"a.npy: its 34\^3 voxels do not fit into 32\^3"):
        io.read_shape(tmp_path / "a.npy", 32)


def test_empty_grids_and_fields_are_refused(tmp_path):
    np.save(tmp_path / "empty.npy", np.zeros((32,) * 3))
    np.save(tmp_path / "field.npy", np.linspace(-3, 3, 8**3).reshape(8, 8, 8))
    with pytest.raises(InputError, match="empty, nothing is occupied"):
        io.read_shape(tmp_path / "empty.npy", 32)
    with pytest.raises(InputError, match="threshold"):
        io.read_shape(tmp_path / "field.npy", 8)
    read = io.read_shape(tmp_path / "field.npy", 8, threshold=0.0, invert=True)
    assert read[:4].all() and not read[4:].any()


def test_unknown_suffixes_are_named(tmp_path):
    for action in (lambda path: io.read_shape(path, 8), lambda path: io.write_shape(path, corner_shape())):
        with pytest.raises(InputError, match="'.doc'"):
            action(tmp_path / "a.doc")
